#!/usr/bin/env node
import { runProgram } from './program.js'

// A closed pipe (`platemark … | head`) is the reader's choice: the exit code stays the command's own.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return
  process.stderr.write(`error: The result cannot be written.\n  found:    ${error.message}\n`)
  process.exit(2)
})

process.exitCode = await runProgram(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
})
