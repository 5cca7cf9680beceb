import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { runDemo } from './run-demo.js'
import { describeError, openTerminal } from './terminal.js'

// `npm run demo`: the main job from the repository's fixture, in the folder demo/.
const terminal = openTerminal(false, { out: process.stdout, err: process.stderr })
try {
  const folder = resolve('demo')
  if (!existsSync(folder)) await mkdir(folder)
  const { lines } = await runDemo(folder, terminal)
  terminal.result({}, lines)
} catch (error) {
  terminal.close()
  const described = describeError(error)
  process.stderr.write(`${described.text}\n`)
  process.exitCode = described.exitCode
}
