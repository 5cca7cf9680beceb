import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { type DemoModel, demoModels } from './demo-models.js'
import { runDemo } from './run-demo.js'
import { describeError, openTerminal } from './terminal.js'

// `npm run demo [-- sprites]`: the main job from the repository's fixtures, in the folder demo/.
const terminal = openTerminal(false, { out: process.stdout, err: process.stderr })
try {
  const demo = choose(process.argv[2])
  const folder = resolve('demo')
  if (!existsSync(folder)) await mkdir(folder)
  const { lines } = await runDemo(demo, folder, terminal)
  const others = demoModels
    .filter((other) => other !== demo)
    .map(({ name, backend }) => `another: npm run demo -- ${name}   # with ${backend}`)
  terminal.result({}, [...lines, ...others])
} catch (error) {
  terminal.close()
  const described = describeError(error)
  process.stderr.write(`${described.text}\n`)
  process.exitCode = described.exitCode
}

function choose(name: string | undefined): DemoModel {
  const found = name === undefined ? demoModels[0] : demoModels.find((demo) => demo.name === name)
  if (found !== undefined) return found
  throw new PlatemarkError('There is no such demo.', {
    expected: demoModels.map((demo) => demo.name).join(' or '),
    found: JSON.stringify(name?.slice(0, 80)),
  })
}
