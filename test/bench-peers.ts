import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { firstLine, Hopeless, Infeasible, type Settings } from './peers/measure.js'
import { type PeerModel, peerModels } from './peers/models.js'
import { type PlannedRow, planRow } from './peers/plan.js'
import { type Prover, provers } from './peers/provers.js'
import { keepRow, readResults, render } from './peers/results.js'
import type { Paired, Row } from './peers/row.js'
import { emptyRow, type MeasuredRow, runRow } from './peers/run-row.js'

/*
 * The same models on the same machine, for our backends and for others:
 *
 *     npm run bench:peers                                   everything, in at most 35 minutes
 *     npm run bench:peers -- --plan                         what that would be, without doing it
 *     npm run bench:peers -- --continue                     what the last run has not come to
 *     npm run bench:peers -- --prover ezkl --model tiny     these rows again, the others kept
 *     npm run bench:peers -- --time-limit 600 --memory-limit 16 --budget 120 --attempt
 *     npm run bench:peers -- --render                       page and plots from the file alone
 *
 * Results go to docs/benchmarks.json after every row; docs/benchmarks.md and the plots are made from it.
 * Every row is a process of its own. The limits are for a stage (compile, setup, one proof; seconds) and
 * for the memory of the process with all that it starts (GB); what a row had measured until it was ended
 * is kept. A setup that is expected to need more than twice a limit is not begun without --attempt.
 * --budget is for the whole run (minutes): a row that it cuts off is measured by --continue.
 */

const { values } = parseArgs({
  options: {
    model: { type: 'string', multiple: true },
    prover: { type: 'string', multiple: true },
    'time-limit': { type: 'string', default: '240' },
    'memory-limit': { type: 'string', default: '16' },
    budget: { type: 'string', default: '35' },
    proofs: { type: 'string', default: '3' },
    attempt: { type: 'boolean', default: false },
    continue: { type: 'boolean', default: false },
    plan: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
    // Of the process of one row.
    one: { type: 'boolean', default: false },
    'no-chain': { type: 'boolean', default: false },
  },
})

const settings: Settings = {
  proofs: positive('proofs'),
  limits: { seconds: positive('time-limit'), memoryBytes: positive('memory-limit') * 1e9 },
  chain: !values['no-chain'],
  attempt: values.attempt,
}
/** What the others are compared with. */
const REFERENCE = 'sumcheck'

if (values.one) await measureHere()
else {
  if (!values.render) await measureAll()
  if (!values.plan) await render()
}

/** In a process of its own, because peak memory never goes down. One line of JSON for every news. */
async function measureHere(): Promise<void> {
  const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
  const model = wanted(peerModels, values.model)[0]!
  const prover = wanted(provers, values.prover)[0]!
  try {
    const onnx = await model.read()
    if (onnx === undefined) throw new Error('the model is not here')
    await prover.measure(onnx, model.name, settings, (stage, known) => tell({ stage, known }))
    tell({ status: 'done' })
  } catch (error) {
    const status =
      error instanceof Hopeless ? error.status : error instanceof Infeasible ? 'refused' : 'failed'
    tell({ status, reason: firstLine(error) })
  }
  process.exit(0)
}

async function measureAll(): Promise<void> {
  const last = readResults()
  const run = values.continue && last.run ? last.run : new Date().toISOString()
  const isDone = (model: PeerModel, prover: Prover) =>
    values.continue &&
    last.rows.some(
      (row) => row.model === model.name && row.prover === prover.name && row.run === run,
    )
  const rows: { readonly model: PeerModel; readonly prover: Prover; readonly plan: PlannedRow }[] =
    []
  // All models with our backends first: what takes longest comes last, if the run's time ends.
  for (const group of [
    provers.filter(isOurs),
    ...provers.filter((it) => !isOurs(it)).map((it) => [it]),
  ])
    for (const model of wanted(peerModels, values.model))
      for (const prover of wanted(provers, values.prover))
        if (group.includes(prover) && !isDone(model, prover) && (await isHere(model)))
          rows.push({ model, prover, plan: planRow(model.name, prover.name, last.rows, settings) })
  say(describePlan(rows.map(({ plan }) => plan)))
  if (values.plan) return

  const deadline = performance.now() + positive('budget') * 60_000
  let before: MeasuredRow | undefined
  for (const { model, prover } of rows) {
    const what = { model: model.name, prover: prover.name, run, limits: settings.limits }
    const measure = (name: string, ...more: readonly string[]) =>
      runRow({ ...what, prover: name, deadline, command: commandOf(model.name, name, more) })
    const keep = (row: Row, info: MeasuredRow['info'] = {}) =>
      keepRow(row, { name: model.name, source: model.source, ...info })
    say(`${model.name} on ${prover.name} …`)
    if (!prover.isInstalled()) {
      say(' not installed\n')
      await keep(emptyRow(what, 'not installed'))
      continue
    }
    const isReference = prover.name === REFERENCE
    // What came right before serves for two rows: as what follows the one and precedes the other.
    if (!isReference && before?.row.model !== model.name)
      before = await measure(REFERENCE, '--no-chain')
    const measured = await measure(prover.name)
    if (measured.cut) break
    const reached = !isReference && measured.row.proveSeconds !== null
    const after = reached ? await measure(REFERENCE, '--no-chain') : undefined
    const paired = after === undefined ? null : meanOf([before!.row, after.row])
    before = isReference ? measured : (after ?? before)
    const row: Row = { ...measured.row, paired }
    say(` ${row.status}${row.reason === null ? '' : `: ${row.reason}`}\n`)
    await keep(row, measured.info)
  }
  const kept = new Set(
    readResults()
      .rows.filter((row) => row.run === run)
      .map(nameOf),
  )
  const missing = rows.filter(({ plan }) => !kept.has(nameOf(plan)))
  if (missing.length > 0)
    say(
      `The run ended after its ${values.budget} minutes. Missing: ${missing.map(({ plan }) => nameOf(plan)).join(', ')}. Add --continue to measure these.\n`,
    )
}

function isOurs({ name }: Prover): boolean {
  return name === REFERENCE || name === 'groth16'
}

async function isHere(model: PeerModel): Promise<boolean> {
  const here = (await model.read()) !== undefined
  if (!here) say(`${model.name}: not here, left out\n`)
  return here
}

function commandOf(model: string, prover: string, more: readonly string[]): readonly string[] {
  return [
    fileURLToPath(import.meta.url),
    ...['--one', '--model', model, '--prover', prover, '--proofs', values.proofs],
    ...['--time-limit', values['time-limit'], '--memory-limit', values['memory-limit']],
    ...(values.attempt ? ['--attempt'] : []),
    ...more,
  ]
}

/** Proofs of the reference right before and right after; null where one of them came to nothing. */
function meanOf(rows: readonly Row[]): Paired | null {
  const mean = (field: keyof Paired) =>
    rows.reduce((sum, row) => sum + (row[field] ?? Number.NaN), 0) / rows.length
  const [proveSeconds, proveCpuSeconds] = [mean('proveSeconds'), mean('proveCpuSeconds')]
  return Number.isNaN(proveSeconds + proveCpuSeconds) ? null : { proveSeconds, proveCpuSeconds }
}

function describePlan(rows: readonly PlannedRow[]): string {
  const { seconds, memoryBytes } = settings.limits
  const known = rows.flatMap((row) => row.seconds ?? [])
  const total = known.reduce((sum, seconds) => sum + seconds, 0)
  const unknown = rows.length - known.length
  return [
    `${rows.length} rows; limits: ${seconds} s a stage, ${memoryBytes / 1e9} GB, ${values.budget} minutes in all.`,
    ...rows.map((row) => `  ${nameOf(row).padEnd(32)} ${timeOf(row)}`),
    `About ${Math.ceil(total / 60)} minutes${unknown === 0 ? '' : `, and ${unknown} rows of unknown length`}; other work on the machine makes it longer.\n`,
  ].join('\n')
}

function timeOf({ seconds, most }: PlannedRow): string {
  return seconds === undefined ? `up to ${most} s` : `about ${seconds} s, as last time`
}

function nameOf({ model, prover }: Pick<Row, 'model' | 'prover'>): string {
  return `${model} on ${prover}`
}

function wanted<T extends { readonly name: string }>(
  list: readonly T[],
  names: readonly string[] | undefined,
): readonly T[] {
  const unknown = names?.find((name) => !list.some((it) => it.name === name))
  if (unknown !== undefined)
    usage(`${unknown} is none of ${list.map(({ name }) => name).join(', ')}`)
  return list.filter(({ name }) => names === undefined || names.includes(name))
}

function positive(option: 'time-limit' | 'memory-limit' | 'budget' | 'proofs'): number {
  const number = Number(values[option])
  if (!(number > 0)) usage(`--${option} must be a number above 0, found ${values[option]}`)
  return number
}

function usage(message: string): never {
  say(`${message}\n`)
  process.exit(2)
}

function say(text: string): void {
  process.stderr.write(text)
}
