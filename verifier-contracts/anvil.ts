import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Hex, numberToHex } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { PlatemarkError } from '../model-export/platemark-error.js'

/** A running local chain. */
export type Anvil = {
  readonly rpcUrl: string
  readonly chainId: bigint
  /** Keys of the first ten accounts, each with 10,000 test ether. The whole world knows them. */
  readonly privateKeys: readonly Hex[]
  /** Ends the chain; resolves when its process is gone. */
  readonly stop: () => Promise<void>
}

/** Foundry's well-known development mnemonic. */
const MNEMONIC = 'test test test test test test test test test test test junk'

const START_TIMEOUT_MS = 20_000

/**
 * What runs between us and anvil: it ends anvil when its own input ends, which the operating system sees
 * to however we end, killed included. So no chain is ever left behind.
 */
const KEEPER = `
const { spawn } = require('node:child_process')
const [binary, ...args] = process.argv.slice(1)
const anvil = spawn(binary, args, { stdio: ['ignore', 'inherit', 'inherit'] })
anvil.on('error', (error) => { console.error(error.message); process.exit(1) })
anvil.on('exit', (code) => process.exit(code ?? 1))
process.stdin.on('end', () => anvil.kill('SIGKILL')).resume()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => anvil.kill('SIGKILL'))
`

/**
 * Starts a local chain of its own on a free port.
 *
 * @param options.chainId - 31337 unless given
 * @throws {PlatemarkError} when anvil is not installed or does not start.
 * @example
 * const anvil = await startAnvil()
 * try {
 *   await connect({ rpcUrl: anvil.rpcUrl })
 * } finally {
 *   await anvil.stop()
 * }
 */
export async function startAnvil(options: { readonly chainId?: bigint } = {}): Promise<Anvil> {
  const chainId = options.chainId ?? 31337n
  const child = spawn(process.execPath, keeperArguments(chainId), {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const stop = stopper(child)
  try {
    const port = await listeningPort(child)
    return { rpcUrl: `http://127.0.0.1:${port}`, chainId, privateKeys: developmentKeys(), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Arguments with which Node runs anvil under the keeper. */
export function keeperArguments(chainId = 31337n): readonly string[] {
  return ['-e', KEEPER, anvilBinary(), '--port', '0', '--chain-id', String(chainId)]
}

function stopper(child: ChildProcess): () => Promise<void> {
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
  })
  return () => {
    child.stdin?.end()
    return ended
  }
}

function listeningPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (reason: string) => {
      clearTimeout(timer)
      reject(
        new PlatemarkError('The local chain does not start.', {
          expected: 'anvil listening on a port',
          found: `${reason}: ${output.trim().slice(-500)}`,
        }),
      )
    }
    const timer = setTimeout(() => fail('no answer in time'), START_TIMEOUT_MS)
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(output)?.[1]
      if (port === undefined) return
      clearTimeout(timer)
      // Nobody reads the rest; a full pipe would stop the chain.
      child.stdout?.removeAllListeners('data').resume()
      child.stderr?.removeAllListeners('data').resume()
      resolve(Number(port))
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`exit code ${code}`))
  })
}

/** The binary itself: npm's launcher would be one more process between us. */
function anvilBinary(): string {
  const platform = { darwin: 'darwin', linux: 'linux', win32: 'win32' }[process.platform as string]
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string]
  const name = `@foundry-rs/anvil-${platform}-${architecture}`
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    const file = join(
      dirname(manifest),
      'bin',
      process.platform === 'win32' ? 'anvil.exe' : 'anvil',
    )
    if (existsSync(file)) return file
  } catch {
    // Not installed, or not made for this platform.
  }
  throw new PlatemarkError('anvil is not installed.', {
    expected: `the npm package ${name}`,
    fix: 'Run npm install --save-dev @foundry-rs/anvil@1.7.1.',
  })
}

function developmentKeys(): readonly Hex[] {
  return Array.from({ length: 10 }, (_, addressIndex) => {
    const { privateKey } = mnemonicToAccount(MNEMONIC, { addressIndex }).getHdKey()
    if (privateKey === null) throw new Error('the mnemonic gives no private key')
    return numberToHex(BigInt(`0x${Buffer.from(privateKey).toString('hex')}`), { size: 32 })
  })
}
