import { cp, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fixturePath } from '../fixtures/golden.js'
import { runProgram } from './program.js'

const folder = await mkdtemp(join(tmpdir(), 'platemark-cli-'))

/** Runs a command line and collects what it writes. */
async function run(...args: readonly string[]) {
  let stdout = ''
  let stderr = ''
  const exitCode = await runProgram(args, {
    out: { write: (text: string) => (stdout += text) },
    err: { write: (text: string) => (stderr += text) },
  })
  return { exitCode, stdout, stderr }
}

/** A folder with the golden bundle and its image, to spoil. */
async function goldenCopy(name: string): Promise<string> {
  const target = join(folder, name)
  await mkdir(target)
  for (const file of ['seed-42.provenance.json', 'seed-42.png'])
    await cp(fixturePath(`sprites/${file}`), join(target, file))
  return join(target, 'seed-42.provenance.json')
}

const commands = [
  'compile',
  'inspect',
  'estimate',
  'setup',
  'srs',
  'ceremony',
  'generate',
  'prove',
  'verify',
  'hash',
  'verifier',
  'deploy',
  'mint',
  'audit',
  'doctor',
]

test('the help shows the way and every command', async () => {
  const { exitCode, stdout } = await run('--help')
  expect(exitCode).toBe(0)
  for (const command of commands) expect(stdout).toContain(`  ${command} `)
  expect(stdout).toContain('Exit codes:')
})

test.each(commands)('%s --help begins with an example', async (command) => {
  const { exitCode, stdout } = await run(command, '--help')
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(new RegExp(`^Examples:\n( {2}\\$ .*\n)*? {2}\\$ .*platemark ${command}`))
})

test.each([
  [['nonsense']],
  [['generate']],
  [['generate', 'x.plate', '--seed', '042', '-o', 'a.png']],
  [['generate', 'x.plate', '--seed', '-1', '-o', 'a.png']],
  [['generate', 'absent.plate', '--seed', '1', '-o', 'a.png']],
  [['setup', 'absent.plate']],
  [['setup', 'absent.plate', '--dev', '--ptau', 'x']],
  [['prove', 'absent.plate', '--seed', '1', '-o', 'a.json', '--chain-id', '1']],
  [['prove', 'absent.plate', '--seed', '1', '-o', 'a.json', '--device', 'gpu']],
  [['verify', 'absent.json']],
  [['hash', 'absent.png']],
  [['compile', 'absent.onnx', '-o', 'x.plate']],
  [['compile', 'a.onnx', '-o', 'x.plate', '--range', '1,0']],
  [['compile', 'a.onnx', '-o', 'x.plate', '--backend', 'nope']],
  [['compile', 'a.onnx', '-o', 'x.plate', '--image-binding', 'nope']],
  [['compile', 'a.onnx', '-o', 'x.plate', '--column-bits', '40']],
  [['audit', 'absent.json', '--model', 'm', '--token', '1']],
  [['mint', 'absent.json', '--rpc', 'nonsense']],
  [['verify', fixturePath('sprites/seed-42.provenance.json'), '--evm']],
  [['deploy', 'absent.plate', '--rpc', 'http://127.0.0.1:9', '--engine', '0x12']],
])('wrong use is exit code 2 with words: %j', async (args) => {
  const { exitCode, stdout, stderr } = await run(...args)
  expect(exitCode).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/error: /)
  expect(stderr).not.toContain('internal error')
})

test('with --json an error is an object on stdout', async () => {
  const { exitCode, stdout } = await run('verify', 'absent.json', '--json')
  expect(exitCode).toBe(2)
  expect(JSON.parse(stdout).error).toMatchObject({ found: 'no such file' })
})

test.each([
  [['nonsense', '--json']],
  [['generate', '--json']],
  [['generate', 'x.plate', '--seed', '042', '-o', 'a.png', '--json']],
  [['setup', '--dev', '--no-such-option', 'x.plate', '--json']],
  [['ceremony', '--json']],
  [['ceremony', 'verify', 'absent.plate', '--ptau', 'absent.ptau', '--json']],
])('with --json wrong use is one object on stdout and nothing else: %j', async (args) => {
  const { exitCode, stdout, stderr } = await run(...args)
  expect(exitCode).toBe(2)
  expect(Object.keys(JSON.parse(stdout))).toEqual(['error'])
  expect(typeof JSON.parse(stdout).error.message).toBe('string')
  expect(stderr).toBe('')
})

test('a ceremony can be rehearsed with powers of tau of one’s own', async () => {
  const ptau = join(folder, 'rehearsal.ptau')
  const written = await run('srs', 'dev', '--power', '4', '-o', ptau, '--json')
  expect(written.exitCode).toBe(0)
  expect(JSON.parse(written.stdout)).toEqual({ ptau, power: 4, insecure: true })
  expect((await readFile(ptau)).subarray(0, 4).toString()).toBe('ptau')
})

test('hash prints every hash of the golden image', async () => {
  const { exitCode, stdout } = await run('hash', fixturePath('sprites/seed-42.png'), '--json')
  expect(exitCode).toBe(0)
  const bundle = JSON.parse(await readFile(fixturePath('sprites/seed-42.provenance.json'), 'utf8'))
  const { poseidon, keccak256, fileSha256, fileCid } = bundle.image
  expect(JSON.parse(stdout)).toEqual({
    height: 16,
    width: 16,
    channels: 3,
    poseidon,
    keccak256,
    sha256: fileSha256,
    cid: fileCid,
  })
})

test('verify accepts the golden bundle and warns that its key is insecure', async () => {
  const path = await goldenCopy('good')
  const { exitCode, stdout, stderr } = await run('verify', path)
  expect(exitCode).toBe(0)
  expect(stdout.trimEnd().endsWith('\nvalid')).toBe(true)
  expect(stderr).toMatch(/warning: .*[Dd]evelopment key/)
})

test('verify answers no, with the reason, for another image beside the bundle', async () => {
  const path = await goldenCopy('other-image')
  const { encodePng, decodePng } = await import('../circuits/png.js')
  const png = path.replace('.provenance.json', '.png')
  const image = await decodePng(await readFile(png))
  image.pixels[100] = (image.pixels[100]! + 1) & 255
  await writeFile(png, await encodePng(image))
  const { exitCode, stdout } = await run('verify', path, '--json')
  expect(exitCode).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ valid: false })
  expect(JSON.parse(stdout).reason).toContain('image Poseidon digest')
})

test.each([
  [
    'a changed proof byte',
    'proof',
    (it: string) => `${it.slice(0, 40)}${it[40] === '0' ? '1' : '0'}${it.slice(41)}`,
  ],
  ['a shorter proof', 'proof', (it: string) => it.slice(0, -2)],
  ['a longer proof', 'proof', (it: string) => `${it}00`],
  ['no proof', 'proof', () => '0x'],
])('verify answers no for %s', async (name, key, spoil) => {
  const path = await goldenCopy(name)
  const bundle = JSON.parse(await readFile(path, 'utf8'))
  await writeFile(path, JSON.stringify({ ...bundle, [key]: spoil(bundle[key]) }))
  const { exitCode, stdout } = await run('verify', path)
  expect(exitCode).toBe(1)
  expect(stdout).toContain('INVALID: proof:')
})

test('a key that does not match its setup record is refused', async () => {
  const path = await goldenCopy('other-key')
  const bundle = JSON.parse(await readFile(path, 'utf8'))
  bundle.setup.verifyingKeyHash = `0x${'00'.repeat(32)}`
  await writeFile(path, JSON.stringify(bundle))
  expect((await run('verify', path)).exitCode).toBe(1)
})

test('a cut-off bundle is bad input, not an answer', async () => {
  const path = await goldenCopy('cut')
  const content = await readFile(path, 'utf8')
  await writeFile(path, content.slice(0, content.length / 2))
  const { exitCode, stderr } = await run('verify', path)
  expect(exitCode).toBe(2)
  expect(stderr).toContain('The provenance bundle is not JSON.')
})

test('compile refuses a folder that holds something else, before it does any work', async () => {
  const target = join(folder, 'precious')
  await mkdir(target)
  await writeFile(join(target, 'diary.txt'), 'dear diary')
  const { exitCode, stderr } = await run(
    'compile',
    fixturePath('sprites/sprites.onnx'),
    '-o',
    target,
  )
  expect(exitCode).toBe(2)
  expect(stderr).toContain('diary.txt')
  expect(await readdir(target)).toEqual(['diary.txt'])
})

test('a file that is no ONNX leaves no plate behind', async () => {
  const onnx = join(folder, 'broken.onnx')
  const bytes = await readFile(fixturePath('sprites/sprites.onnx'))
  await writeFile(onnx, bytes.subarray(0, 5000))
  const target = join(folder, 'broken.plate')
  const { exitCode } = await run('compile', onnx, '-o', target, '--backend', 'none')
  expect(exitCode).toBe(2)
  expect((await readdir(folder)).filter((name) => name.includes('broken.plate'))).toEqual([])
})

test('images that are not close come with a warning, and bits by layer with their worth', async () => {
  const sprites = fixturePath('sprites/sprites.onnx')
  const plate = join(folder, 'compact.plate')
  const compile = ['compile', sprites, '-o', plate, '--backend', 'none', '--profile', 'compact']
  const coarse = await run(...compile, '--weight-bits', '8', '--activation-bits', '8')
  expect(coarse.exitCode).toBe(0)
  expect(coarse.stderr).toMatch(/warning: images are .* not 45.0 dB and 40.0 dB/)
  expect(coarse.stdout).toMatch(/NOT reached: 45.0 dB and 40.0 dB/)
  const usual = await run(...compile)
  expect(usual.stderr).not.toContain('warning')
  expect(usual.stdout).toMatch(/layer by layer, for \d+% less/)
  expect((await run('inspect', plate, '--layers')).stdout).toMatch(/ \d\.\d dB, \d\.\d% /)
})

test('generate and inspect work on a model without a backend; prove says what is missing', async () => {
  const plate = join(folder, 'sprites.plate')
  const compiled = await run(
    'compile',
    fixturePath('sprites/sprites.onnx'),
    '-o',
    plate,
    '--backend',
    'none',
    '--json',
  )
  expect(compiled.exitCode).toBe(0)
  const report = JSON.parse(compiled.stdout)
  expect(report.psnr).toBeGreaterThan(40)

  const png = join(folder, 'image.png')
  expect((await run('generate', plate, '--seed', '42', '-o', png)).exitCode).toBe(0)
  expect((await run('inspect', plate, '--json')).stdout).toContain(report.modelId)
  const { layers, choice } = JSON.parse((await run('inspect', plate, '--layers', '--json')).stdout)
  expect(choice).toBe(report.choice.why)
  expect(layers.length).toBe(report.nodes.length)
  expect(layers[0].ownSnr).toBeGreaterThan(20)
  expect(layers[0].weightBits).toBe(report.nodes[0].weightBits)
  const { stdout } = await run('inspect', plate, '--layers')
  expect(stdout).toMatch(/^ *outputs {2}weight bits {2}output bits .* layer\n *1024 .* \/0\/Gemm/m)

  const proved = await run('prove', plate, '--seed', '42', '-o', join(folder, 'x.provenance.json'))
  expect(proved.exitCode).toBe(2)
  expect(proved.stderr).toContain('The plate was compiled for no backend.')

  await mkdir(join(plate, 'groth16'))
  const unready = await run('prove', plate, '--seed', '42', '-o', join(folder, 'x.provenance.json'))
  expect(unready.exitCode).toBe(2)
  expect(unready.stderr).toContain('The compiled model has no keys.')
  expect(unready.stderr).toContain('platemark setup')

  await writeFile(join(plate, 'groth16', 'setup.json'), 'nonsense')
  for (const args of [
    ['inspect', plate],
    ['prove', plate, '--seed', '42', '-o', join(folder, 'x.provenance.json')],
  ]) {
    const { exitCode, stderr } = await run(...args)
    expect(exitCode).toBe(2)
    expect(stderr).toContain('The setup record is not JSON.')
  }
})
