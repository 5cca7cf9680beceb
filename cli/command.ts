import { Command, Option } from 'commander'
import { parseSeed } from '../circuits/seed-expansion.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Terminal } from './terminal.js'

/**
 * Exit code of a finished command: 0 is done, 1 is "the answer is no" (a proof is invalid, an image
 * differs). Wrong use and bad input are thrown and become 2.
 */
export type ExitCode = 0 | 1

/** Runs an action with the terminal of this invocation; set by the program. */
export type Runner = (
  json: boolean,
  action: (terminal: Terminal) => Promise<ExitCode>,
) => Promise<void>

/** One file a command: adds it to the program. */
export type Register = (program: Command, run: Runner) => void

/** A subcommand with `--json` and its examples first in `--help`. */
export function subcommand(name: string, summary: string, examples: readonly string[]): Command {
  return subcommandGroup(name, summary, examples).option(
    '--json',
    'print the result as one JSON object',
  )
}

/** A command of subcommands. It has no `--json`, which would take it away from its subcommands. */
export function subcommandGroup(
  name: string,
  summary: string,
  examples: readonly string[],
): Command {
  return new Command(name)
    .summary(summary)
    .description(summary)
    .addHelpText('before', `Examples:\n${examples.map((line) => `  $ ${line}\n`).join('')}`)
    .showHelpAfterError('(add --help for examples)')
}

/** `--seed`, required and canonical. */
export function seedOption(): Option {
  return new Option('--seed <integer>', 'seed, a decimal integer from 0 to 2^256 − 1')
    .argParser(parseSeed)
    .makeOptionMandatory()
}

/** A positive integer option. */
export function count(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^[0-9]+$/.test(text) || value < min || value > max)
      throw new PlatemarkError(`${name} is out of range.`, {
        expected: `an integer from ${min} to ${max}`,
        found: JSON.stringify(text.slice(0, 40)),
      })
    return value
  }
}

/** An Ethereum address, lower-cased. */
export function address(text: string): `0x${string}` {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text))
    throw new PlatemarkError('The address is not one.', {
      expected: '0x and 40 hex digits',
      found: JSON.stringify(text.slice(0, 80)),
    })
  return text.toLowerCase() as `0x${string}`
}

/** A chain id. */
export function chainId(text: string): bigint {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text))
    throw new PlatemarkError('The chain id is not one.', {
      expected: 'a decimal integer, for example 1 or 31337',
      found: JSON.stringify(text.slice(0, 40)),
    })
  return BigInt(text)
}

/** What proves: the processor or a card. */
export function device(text: string): string {
  if (!/^(auto|cpu|cuda(:(0|[1-9][0-9]?))?)$/.test(text))
    throw new PlatemarkError('There is no such kind of device.', {
      expected: 'auto, cpu, cuda or cuda:<n>',
      found: JSON.stringify(text.slice(0, 40)),
    })
  return text
}

/** A token id, decimal or 0x-hex. */
export function tokenNumber(text: string): bigint {
  if (!/^([0-9]{1,78}|0x[0-9a-fA-F]{1,64})$/.test(text))
    throw new PlatemarkError('The token id is not one.', {
      expected: 'a decimal or 0x-hex integer',
      found: JSON.stringify(text.slice(0, 90)),
    })
  return BigInt(text)
}
