import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, posix } from 'node:path'
import type { Abi, Hex } from 'viem'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { SolidityFile } from '../prover/backend.js'
import { packageRoot } from './package-root.js'

/** One compiled contract. */
export type CompiledContract = {
  readonly name: string
  readonly abi: Abi
  /** Creation code, without constructor arguments. */
  readonly bytecode: Hex
  /** Code on chain, before immutables are filled in. */
  readonly deployedBytecode: Hex
  /** Where immutables stand in the code on chain, in bytes. */
  readonly immutables: readonly { readonly start: number; readonly length: number }[]
}

/** The same settings as in foundry.toml, so that what is tested is what is deployed. */
const SETTINGS = {
  optimizer: { enabled: true, runs: 200 },
  viaIR: true,
  evmVersion: 'cancun',
  metadata: { bytecodeHash: 'none', appendCBOR: false },
}

/** The most a contract may have (EIP-170). */
export const CODE_SIZE_LIMIT = 24_576

/**
 * Compiles one contract, named after its file, with npm's `solc` in a process of its own. Imports of
 * `@openzeppelin/contracts`, `solady` and of neighbouring files are found by themselves. Results are kept in
 * `cache/solc/` of the package where that can be written.
 *
 * @param files - the first holds the contract; the others are what it imports
 * @param options.viaIR - `false` for assembly that claims all memory, which the default refuses
 * @throws {PlatemarkError} for missing compiler, missing imports, compiler errors, too much code.
 * @example
 * const { abi, bytecode } = await compileSolidity(generateGroth16Verifier(options))
 */
export async function compileSolidity(
  files: readonly SolidityFile[],
  options: { readonly viaIR?: boolean } = {},
): Promise<CompiledContract> {
  const main = files[0]
  if (main === undefined) throw new PlatemarkError('There is no Solidity source to compile.')
  const name = posix.basename(main.path, '.sol')
  const input = JSON.stringify({
    language: 'Solidity',
    sources: collectSources(files),
    settings: {
      ...SETTINGS,
      ...options,
      outputSelection: {
        [main.path]: {
          [name]: [
            'abi',
            'evm.bytecode.object',
            'evm.deployedBytecode.object',
            'evm.deployedBytecode.immutableReferences',
          ],
        },
      },
    },
  })
  const contract = readOutput(await runCached(input), main.path, name)
  const bytes = (contract.deployedBytecode.length - 2) / 2
  if (bytes > CODE_SIZE_LIMIT)
    throw new PlatemarkError(`The contract ${name} is too large to deploy.`, {
      expected: `at most ${CODE_SIZE_LIMIT} bytes of code`,
      found: `${bytes} bytes`,
    })
  return contract
}

/** The contracts of this package that are deployed as they are. */
export type PackageContract = 'ModelRegistry' | 'PlatemarkNFT' | 'SumcheckVerifier'

/**
 * Compiles a contract of this package by its name.
 *
 * @throws {PlatemarkError} as {@link compileSolidity}.
 * @example
 * const registry = await compilePackageContract('ModelRegistry')
 */
export function compilePackageContract(name: PackageContract): Promise<CompiledContract> {
  const source = readFileSync(join(packageSources(), `${name}.sol`), 'utf8')
  return compilePackageSource({ path: `${name}.sol`, source })
}

/** Compiles a source as if it lay beside this package's contracts, which it may import as neighbours. */
export function compilePackageSource({ path, source }: SolidityFile): Promise<CompiledContract> {
  const seen = new Set([posix.basename(path, '.sol')])
  return compileSolidity([{ path, source }, ...neighbours(packageSources(), source, seen)])
}

function packageSources(): string {
  return join(packageRoot(), 'verifier-contracts', 'src')
}

/** The files of a folder that a source imports by relative path, and what those import. */
function neighbours(folder: string, source: string, seen: Set<string>): SolidityFile[] {
  return importsOf(source).flatMap((path) => {
    const name = posix.basename(path, '.sol')
    if (!path.startsWith('./') || seen.has(name)) return []
    seen.add(name)
    const text = readFileSync(join(folder, `${name}.sol`), 'utf8')
    return [{ path: `${name}.sol`, source: text }, ...neighbours(folder, text, seen)]
  })
}

function importsOf(source: string): readonly string[] {
  return [...source.matchAll(/^\s*import\s+(?:[^"';]*\sfrom\s+)?["']([^"']+)["']\s*;/gm)].map(
    (match) => match[1]!,
  )
}

function collectSources(
  files: readonly SolidityFile[],
): Readonly<Record<string, { readonly content: string }>> {
  const given = new Map(files.map(({ path, source }) => [path, source]))
  const sources = new Map<string, { content: string }>()
  const add = (path: string, importer: string): void => {
    if (sources.has(path)) return
    const content = given.get(path) ?? readDependency(path)
    if (content === undefined)
      throw new PlatemarkError(`The Solidity import ${path} is missing.`, {
        expected: `a file among the given ones or of ${DEPENDENCIES.join(' or ')}`,
        found: `imported by ${importer}`,
        fix: 'Run npm ci.',
      })
    sources.set(path, { content })
    for (const target of importsOf(content))
      add(target.startsWith('.') ? posix.join(posix.dirname(path), target) : target, path)
  }
  for (const { path } of files) add(path, path)
  return Object.fromEntries(sources)
}

/** Packages whose sources are imported by the package's name. */
const DEPENDENCIES = ['@openzeppelin/contracts/', 'solady/']

function readDependency(path: string): string | undefined {
  const prefix = DEPENDENCIES.find((name) => path.startsWith(name))
  if (prefix === undefined) return undefined
  const manifest = createRequire(import.meta.url).resolve(`${prefix}package.json`)
  const file = join(dirname(manifest), path.slice(prefix.length))
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** What is being compiled: who asks for it again waits with the first. */
const running = new Map<string, Promise<string>>()

function runCached(input: string): Promise<string> {
  const key = createHash('sha256').update(compilerVersion()).update(input).digest('hex')
  const known = running.get(key)
  if (known !== undefined) return known
  const output = readOrRun(key, input).finally(() => running.delete(key))
  running.set(key, output)
  return output
}

async function readOrRun(key: string, input: string): Promise<string> {
  const adapter = join(packageRoot(), 'verifier-contracts', 'solc')
  const folder = join(packageRoot(), 'cache', 'solc')
  const file = join(folder, `${key}.json`)
  try {
    return await readFile(file, 'utf8')
  } catch {
    // Not compiled before.
  }
  const output = await runAdapter(adapter, input)
  const temporary = `${file}.${process.pid}`
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(temporary, output)
    await rename(temporary, file)
  } catch {
    // An installed package may lie where nothing can be written; it only costs time.
    await rm(temporary, { force: true }).catch(() => {})
  }
  return output
}

function compilerVersion(): string {
  try {
    const manifest = createRequire(import.meta.url).resolve('solc/package.json')
    return JSON.parse(readFileSync(manifest, 'utf8')).version
  } catch (error) {
    throw noCompiler('the npm package is not installed', error)
  }
}

function noCompiler(found: string, cause: unknown): PlatemarkError {
  return new PlatemarkError('The Solidity compiler does not run.', {
    expected: 'the optional dependency "solc"',
    found,
    fix: 'Run npm ci without --omit=optional, or npm install solc@0.8.37.',
    cause,
  })
}

function runAdapter(adapter: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [adapter, '--standard-json'],
      { maxBuffer: 1 << 28, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(noCompiler(stderr.trim().slice(0, 500) || error.message, error))
      },
    )
    // A compiler that is not there ends before it has read its input.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

type SolcOutput = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly contracts?: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly abi: Abi
            readonly evm: {
              readonly bytecode: { readonly object: string }
              readonly deployedBytecode: {
                readonly object: string
                readonly immutableReferences?: Readonly<
                  Record<string, CompiledContract['immutables']>
                >
              }
            }
          }
        >
      >
    >
  >
}

function readOutput(text: string, path: string, name: string): CompiledContract {
  const output = JSON.parse(text) as SolcOutput
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error')
  if (errors.length > 0)
    throw new PlatemarkError(`The Solidity source ${path} does not compile.`, {
      found: errors.map(({ formattedMessage }) => formattedMessage.trim()).join('\n'),
    })
  const contract = output.contracts?.[path]?.[name]
  if (contract === undefined)
    throw new PlatemarkError(`The Solidity source ${path} holds no contract ${name}.`, {
      expected: 'a contract named like the file',
    })
  return {
    name,
    abi: contract.abi,
    bytecode: `0x${contract.evm.bytecode.object}`,
    deployedBytecode: `0x${contract.evm.deployedBytecode.object}`,
    immutables: Object.values(contract.evm.deployedBytecode.immutableReferences ?? {}).flat(),
  }
}
