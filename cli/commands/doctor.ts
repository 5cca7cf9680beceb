import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { Option } from 'commander'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { EZKL_VERSION, findPython, installEzkl } from '../../prover/ezkl/installation.js'
import { locatePackage } from '../../prover/groth16/node-process.js'
import { loadNative } from '../../prover/native.js'
import { hasVectorUnits, sumcheckNative } from '../../prover/sumcheck/native.js'
import { type Register, subcommand } from '../command.js'
import { bytes } from '../terminal.js'
import { toolVersion } from '../version.js'

type Finding = {
  readonly name: string
  readonly ok: boolean
  readonly required: boolean
  readonly detail: string
}

const optionalPackages = [
  ['circom2', 'compiles circuits of the groth16 backend'],
  ['circomlib', 'Poseidon of the groth16 backend'],
  ['snarkjs', 'proves with the groth16 backend'],
  ['solc', 'compiles contracts for `deploy`'],
  ['@foundry-rs/anvil', 'local chain of the demo'],
] as const

const ABOUT_EZKL = `
ezkl is a separate program by other authors, without an open-source licence since January 2024: read its
terms. It is installed with pip from your package index, release ${EZKL_VERSION}, checked against a hash,
into $XDG_DATA_HOME/platemark (~/.local/share/platemark); remove that folder to remove it.`

/** `doctor`: what works on this machine and how to get what does not. */
export const doctor: Register = (program, run) => {
  program.addCommand(
    subcommand('doctor', 'Check what platemark can use on this machine.', [
      'platemark doctor',
      'platemark doctor --install ezkl   # into an environment of its own, per user',
    ])
      .addOption(
        new Option('--install <program>', 'install an optional program first').choices(['ezkl']),
      )
      .addHelpText('after', ABOUT_EZKL)
      .action((options: { readonly install?: 'ezkl'; readonly json?: boolean }) =>
        run(options.json === true, async (terminal) => {
          if (options.install === 'ezkl')
            terminal.remark(`installed in ${await installEzkl(terminal.progress)}`)
          const findings = [
            machine(),
            nodeVersion(),
            native(),
            ...(await cards()),
            ...optionalPackages.map(installed),
            ezkl(),
          ]
          const width = Math.max(...findings.map(({ name }) => name.length))
          const healthy = findings.every(({ ok, required }) => ok || !required)
          terminal.result(
            { version: toolVersion, healthy, findings },
            findings.map(
              ({ name, ok, detail }) => `${ok ? '✓' : '✗'} ${name.padEnd(width)}  ${detail}`,
            ),
          )
          return healthy ? 0 : 1
        }),
      ),
  )
}

function machine(): Finding {
  const detail = `${process.platform} ${process.arch}, ${availableParallelism()} cores, ${bytes(totalmem())} memory`
  return { name: 'machine', ok: true, required: true, detail }
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > 20 || (major === 20 && minor >= 19)
  const detail = ok ? process.versions.node : `${process.versions.node}; needs 20.19 or newer`
  return { name: 'node', ok, required: true, detail }
}

function native(): Finding {
  try {
    loadNative()
    const units = hasVectorUnits() ? 'with' : 'without'
    const detail = `loaded; adds points ${units} AVX-512 IFMA`
    return { name: 'native addon', ok: true, required: true, detail }
  } catch (error) {
    const detail =
      error instanceof PlatemarkError
        ? `${error.shortMessage} ${error.fix ?? ''}`.trim()
        : String(error)
    return { name: 'native addon', ok: false, required: true, detail }
  }
}

/** NVIDIA cards that `prove --device` can use, each after its self-test, and what is used when. */
async function cards(): Promise<Finding[]> {
  const finding = (ok: boolean, detail: string) => ({ name: 'card', ok, required: false, detail })
  try {
    const found = await sumcheckNative().sumcheckCards()
    if (found.problem !== undefined) return [finding(false, `${found.problem}; the CPU proves`)]
    if (found.cards.length === 0) return [finding(false, 'the driver lists none; the CPU proves')]
    const list = found.cards.map(({ device, name, memory, selfTest, problem }) =>
      problem === undefined && selfTest !== undefined
        ? finding(
            true,
            `${device}: ${name}, ${bytes(memory)}, driver for CUDA ${found.driver}, self-test passed in ${selfTest.toFixed(1)} s`,
          )
        : finding(false, `${device}: ${name} is not used: ${problem}`),
    )
    // As `Device::parse` in fallback.rs decides.
    const automatic = found.cards[0]!.problem === undefined ? found.cards[0]!.device : 'cpu'
    const used = `prove uses the CPU, --device auto ${automatic}, --device cuda cuda:0`
    return [...list, { name: 'proving', ok: true, required: false, detail: used }]
  } catch (error) {
    return [finding(false, error instanceof Error ? error.message : String(error))]
  }
}

/** GPL programs and tools that run as separate processes: optional, each with its purpose. */
function installed([name, purpose]: (typeof optionalPackages)[number]): Finding {
  try {
    const manifest = join(locatePackage(name).directory, 'package.json')
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }
    return { name, ok: true, required: false, detail: `${version}, ${purpose}` }
  } catch {
    const detail = `not installed; ${purpose}. Get it with: npm install ${name}`
    return { name, ok: false, required: false, detail }
  }
}

/** No npm package: a Python environment, ours or the user's. */
function ezkl(): Finding {
  const python = findPython()
  const purpose = 'proves with the ezkl backend'
  const detail =
    python === undefined
      ? `not installed; ${purpose}. Get it with: platemark doctor --install ezkl`
      : `${python}, ${purpose}`
  return { name: 'ezkl', ok: python !== undefined, required: false, detail }
}
