import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { toolVersion } from '../../cli/version.js'
import { EZKL_VERSION, findPython } from '../../prover/ezkl/installation.js'
import { packageRoot } from '../../verifier-contracts/package-root.js'
import type { Limits, Measurement } from './measure.js'
import { killTree, residentTree } from './process-tree.js'
import type { ModelInfo, Row, Status } from './row.js'

/** What a row is, and how it is run. */
export type RowRequest = {
  readonly model: string
  readonly prover: string
  readonly run: string
  readonly limits: Limits
  /** Command line of a process that measures it and tells of it a line of JSON at a time. */
  readonly command: readonly string[]
  /** When the whole run ends, on the clock of `performance.now()`. */
  readonly deadline: number
}

export type MeasuredRow = {
  readonly row: Row
  readonly info: Partial<ModelInfo>
  /** The run ended before the row did. */
  readonly cut: boolean
}

/** Milliseconds between two looks at memory. */
const INTERVAL = 100

/** Stages that count as the prover's: the local chain and its compiler are ours, whoever proves. */
const PROVER_STAGES = ['compile', 'setup', 'prove']

/** Runs a row in a process of its own, watches it, and ends it where it passes a limit. */
export function runRow(request: RowRequest): Promise<MeasuredRow> {
  const { limits, deadline } = request
  // Whatever ends the row, its temporary files go with it.
  const temporary = mkdtempSync(join(tmpdir(), 'platemark-peers-'))
  const remove = () => rmSync(temporary, { recursive: true, force: true, maxRetries: 10 })
  const start = emptyRow(request, 'failed')
  const child = spawn(process.execPath, request.command, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temporary },
  })
  const pid = child.pid!
  let known: Measurement = {}
  let stage = 'start'
  let status: Status = 'failed'
  let reason: string | null = 'it ended without a word'
  let ended = false
  let cut = false
  const stageMemoryBytes: Record<string, number> = {}
  const stop = (why: Status, text: string) => {
    ended = true
    status = why
    reason = `${text} in ${stage}`
    clearInterval(watch)
    killTree(pid)
  }
  let news = performance.now()
  const watch = setInterval(() => {
    const bytes = residentTree(pid)
    stageMemoryBytes[stage] = Math.max(stageMemoryBytes[stage] ?? 0, bytes)
    if (bytes > limits.memoryBytes) stop('memory limit', `more than ${limits.memoryBytes / 1e9} GB`)
    else if (performance.now() - news > limits.seconds * 1000)
      stop('time limit', `more than ${limits.seconds} s`)
    else if (performance.now() > deadline) {
      cut = true
      stop('failed', 'the run ended')
    }
  }, INTERVAL)
  const interrupt = () => {
    killTree(pid)
    remove()
    process.exit(130)
  }
  process.once('SIGINT', interrupt)
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line)
    news = performance.now()
    if (said.known !== undefined) {
      stage = said.stage
      known = { ...known, ...said.known }
    } else if (!ended) {
      status = said.status
      reason = said.reason ?? null
    }
  })
  return new Promise((resolve) => {
    child.once('close', () => {
      clearInterval(watch)
      process.off('SIGINT', interrupt)
      remove()
      const { parameters, activations, macs, image, ...measured } = known
      const info = Object.fromEntries(
        Object.entries({ parameters, activations, macs, image }).filter(([, value]) => value),
      )
      const peak = Math.max(0, ...PROVER_STAGES.map((name) => stageMemoryBytes[name] ?? 0))
      const peakMemoryBytes = peak === 0 ? null : peak
      const row = { ...start, ...measured, status, reason, peakMemoryBytes, stageMemoryBytes }
      resolve({ row, info, cut })
    })
  })
}

/** A row of which nothing is known but how it ended. */
export function emptyRow(
  { model, prover, run, limits }: Pick<RowRequest, 'model' | 'prover' | 'run' | 'limits'>,
  status: Status,
): Row {
  return {
    model,
    prover,
    status,
    reason: null,
    profile: null,
    compileSeconds: null,
    setupSeconds: null,
    proveSeconds: null,
    setupCpuSeconds: null,
    proveCpuSeconds: null,
    paired: null,
    verifySeconds: null,
    peakMemoryBytes: null,
    stageMemoryBytes: {},
    provingKeyBytes: null,
    proofBytes: null,
    gas: null,
    codeBytes: null,
    chain: null,
    psnr: null,
    limits,
    machine: machine(),
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    date: new Date().toISOString().slice(0, 10),
    run,
    versions: versions(),
  }
}

/** Processor, cores and memory, in words. */
export function machine(): string {
  const [cpu] = cpus()
  return `${cpu?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`
}

/** Releases of what runs here. */
export function versions(): Readonly<Record<string, string>> {
  const git = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: packageRoot(),
    encoding: 'utf8',
  })
  return {
    platemark: toolVersion,
    ...(git.status === 0 ? { commit: git.stdout.trim() } : {}),
    node: process.versions.node,
    ...(findPython() === undefined ? {} : { ezkl: EZKL_VERSION }),
  }
}
