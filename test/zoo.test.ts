import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fixturePath } from '../fixtures/golden.js'
import { takeThrough } from './take-through.js'

/* Files of others, where they are at hand; all of them by `npm run zoo -- <folder>`. */

const FOLDER = '../shared/models'
const SLOW = process.env.PLATEMARK_SLOW === '1'
const names = existsSync(FOLDER)
  ? readdirSync(FOLDER).filter((name) => name.endsWith('.onnx') && (SLOW || isSmall(name)))
  : []
if (names.length === 0) process.stderr.write(`${FOLDER}: not here, its models are left out\n`)

function isSmall(name: string): boolean {
  return name.startsWith('ezkl_1l_') || name === 'ezkl_quantize_dequantize.onnx'
}

const files =
  names.length > 0 ? names.map((name) => join(FOLDER, name)) : [fixturePath('sprites/sprites.onnx')]

test.each(files)(
  '%s goes all the way',
  async (path) => {
    const { reason, compiled, exact, proved, verified, psnr, worstPsnr } = await takeThrough(path)
    expect(reason).toBeUndefined()
    expect({ compiled, exact, proved, verified }).toEqual({
      compiled: true,
      exact: true,
      proved: true,
      verified: true,
    })
    expect(psnr).toBeGreaterThan(45)
    expect(worstPsnr).toBeGreaterThan(40)
  },
  3_600_000,
)

test('a file that is none says why', async () => {
  const { compiled, reason } = await takeThrough(fixturePath('sprites/README.md'))
  expect(compiled).toBe(false)
  expect(reason).toMatch(/not a readable ONNX file/)
})
