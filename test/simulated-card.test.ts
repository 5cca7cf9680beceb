import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { modelSize } from '../model-export/model-size.js'
import { modelId, writePlate } from '../model-export/plate.js'
import { silent } from '../model-export/progress.js'
import { findBackend } from '../prover/backends.js'
import { randomModel } from './random-model.js'

/*
 * Commands as a user with a card runs them: the driver's library is the simulated one, compiled here.
 */

const root = fileURLToPath(new URL('..', import.meta.url))
const command = join(root, 'dist/cli/main.js')
const kernels = join(root, 'prover/native/gpu')
const MEMORY = 2 ** 30

/** Holds the driver, `random.plate`, and what tests write. */
let folder: string
let plate: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platemark-card-'))
  plate = join(folder, 'random.plate')
  if (process.platform !== 'linux') return
  execFileSync('c++', [
    ...['-O1', '-std=c++17', '-shared', '-fPIC', '-I', join(kernels, 'kernels')],
    ...[join(kernels, 'simulation/library.cpp'), '-o', join(folder, 'libcuda.so.1')],
  ])
  const sumcheck = findBackend('sumcheck')
  const model = randomModel(7)
  const own = { directory: plate, model, modelId: modelId(model) }
  await writePlate(plate, model, { ...modelSize(model) } as never)
  await sumcheck.compile(own, silent)
  await sumcheck.setup(own, { kind: 'development' }, silent)
}, 900_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

function environment(memory: number) {
  return { ...process.env, LD_LIBRARY_PATH: folder, SIMULATED_MEMORY: String(memory) }
}

test('commands find a card, prove on it, and say what they did where', async () => {
  if (process.platform !== 'linux') return
  expect(existsSync(command)).toBe(true)
  const run = (memory: number, ...words: readonly string[]) => {
    const { status, stdout } = spawnSync(process.execPath, [command, ...words, '--json'], {
      encoding: 'utf8',
      env: environment(memory),
    })
    return { status, result: JSON.parse(stdout) }
  }
  const details = (run(MEMORY, 'doctor').result.findings as { name: string; detail: string }[])
    .filter(({ name }) => name === 'card' || name === 'proving')
    .map(({ detail }) => detail)
  expect(details[0]).toMatch(/^cuda:0: simulated card, .*, driver for CUDA 12.1, self-test passed/)
  expect(details[1]).toBe('prove uses the CPU, --device auto cuda:0, --device cuda cuda:0')

  const prove = async (memory: number, device: string) => {
    const bundle = join(folder, `${device}-${memory}.provenance.json`)
    const words = ['--seed', '5', '--device', device, '-o', bundle]
    const { status, result } = run(memory, 'prove', plate, ...words)
    expect([device, memory, status]).toEqual([device, memory, 0])
    return { ...result, proof: JSON.parse(await readFile(bundle, 'utf8')).proof }
  }
  const onCpu = await prove(MEMORY, 'cpu')
  const onCard = await prove(MEMORY, 'cuda:0')
  const short = await prove(2 ** 18, 'cuda')
  expect(onCard.device).toBe('cuda:0 (simulated card)')
  expect(onCard.proof).toEqual(onCpu.proof)
  expect(short.proof).toEqual(onCpu.proof)
  const devices = (proved: { phases: { name: string; device: string }[] }) =>
    new Set(proved.phases.map(({ device }) => device))
  expect(devices(onCpu)).toEqual(new Set(['cpu']))
  expect(devices(onCard)).toEqual(new Set(['cpu', 'cuda:0 (simulated card)']))
  expect(onCard.notes).toEqual([])

  const { status, result } = run(
    MEMORY,
    'prove',
    plate,
    ...['--seed', '5', '--device', 'cuda:3', '-o', join(folder, 'x.provenance.json')],
  )
  expect([status, result.error.found]).toEqual([2, 'there is no card 3: the driver has 1'])
}, 900_000)

test('the benchmark prints every kernel beside its floor, then whole proofs on both', () => {
  if (process.platform !== 'linux') return
  const bench = join(root, 'dist/test/bench-card.js')
  // Whose compiled model is there already.
  const model = join(folder, 'random.onnx')
  const { status, stdout } = spawnSync(process.execPath, [bench, '0', '8', folder, model], {
    encoding: 'utf8',
    env: environment(MEMORY),
  })
  expect(status).toBe(0)
  const lines = stdout.split('\n')
  const ofKernels = lines.filter((line) => /^2\^8 .* floor/.test(line))
  expect(ofKernels).toHaveLength(11)
  for (const line of ofKernels)
    expect(line).toMatch(/ +[\d.]+ ms, +\d+ % of the (arithmetic|memory) floor +[\d.]+ ms/)
  expect(lines).toContainEqual(expect.stringMatching(/^simulated: every time and floor below/))
  const proofs = lines.filter((line) => line.includes('GB of host memory'))
  expect(proofs.map((line) => / on (.*): [\d.]+ s, /.exec(line)?.[1])).toEqual([
    'cpu',
    'cuda:0 (simulated card)',
  ])
  expect(stdout).not.toContain('done on the CPU instead')
}, 900_000)
