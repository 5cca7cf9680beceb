import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import { buildOnnx } from './build-onnx.js'
import { readOnnx } from './read-onnx.js'
import { readOnnxFile } from './read-onnx-file.js'

const { ModelProto } = onnxProto.onnx
const whole = buildOnnx({
  inputs: { z: [1, 2] },
  outputs: ['y'],
  initializers: { w: { shape: [2, 2], data: [1, 2, 3, 4] }, b: { shape: [2], data: [5, 6] } },
  nodes: [{ operator: 'Gemm', inputs: ['z', 'w', 'b'], outputs: ['y'] }],
})

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platemark-external-'))
  await mkdir(join(folder, 'model'))
})
afterEach(() => rm(folder, { recursive: true }))

/** The model as PyTorch writes it: weights one after another in a file of their own. */
async function write(place: Readonly<Record<string, string>> = {}, missing = 0): Promise<string> {
  const model = ModelProto.decode(whole)
  const parts: Uint8Array[] = []
  for (const tensor of model.graph!.initializer!) {
    const data = tensor.rawData!
    const offset = parts.reduce((sum, part) => sum + part.length, 0)
    const entries = { location: 'm.onnx.data', offset: `${offset}`, length: `${data.length}` }
    parts.push(Uint8Array.from(data))
    tensor.rawData = new Uint8Array()
    tensor.dataLocation = 1
    tensor.externalData = Object.entries({ ...entries, ...place }).map(([key, value]) => ({
      key,
      value,
    }))
  }
  const path = join(folder, 'model', 'm.onnx')
  await writeFile(path, ModelProto.encode(model).finish())
  const data = Buffer.concat(parts)
  await writeFile(`${path}.data`, data.subarray(0, data.length - missing))
  return path
}

test('weights in a file beside the model are put inside', async () => {
  const { initializers } = readOnnx(await readOnnxFile(await write()))
  expect(initializers).toEqual(readOnnx(whole).initializers)
})

test('a model that holds its weights comes back as it is', async () => {
  const path = join(folder, 'whole.onnx')
  await writeFile(path, whole)
  expect(Buffer.from(await readOnnxFile(path)).equals(whole)).toBe(true)
})

test.each([
  ['another folder', { location: '../secret' }, 'in the folder of the model'],
  ['an absolute path', { location: '/dev/null' }, 'in the folder of the model'],
  ['a link that leads away', { location: 'link' }, 'in the folder of the model'],
  ['no name', { location: '' }, 'in the folder of the model'],
  ['the folder itself', { location: 'sub/..' }, 'in the folder of the model'],
  ['an absent file', { location: 'absent' }, 'beside the model'],
  ['an offset that is no number', { offset: '-1' }, 'whole number'],
  ['more than the file holds', { length: '1000000000000' }, 'bytes in "m.onnx.data"'],
])('refuses %s', async (_, place, expected) => {
  await writeFile(join(folder, 'secret'), new Uint8Array(64))
  await symlink('../secret', join(folder, 'model', 'link'))
  const error = await readOnnxFile(await write(place)).catch((it: unknown) => it)
  expect(error).toMatchObject({ name: 'PlatemarkError' })
  expect(String((error as Error).message)).toContain(expected)
})

test('refuses a data file that ends too early', async () => {
  await expect(readOnnxFile(await write({}, 1))).rejects.toThrow('cannot be read')
})
