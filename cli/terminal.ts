import { printable } from '../model-export/json-fields.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Progress } from '../model-export/progress.js'

/** Where a command writes. stdout carries data only; everything else goes to stderr. */
export type Terminal = {
  readonly json: boolean
  /** The command's result: `value` as one JSON object with `--json`, else the lines. */
  readonly result: (value: Readonly<Record<string, unknown>>, lines: readonly string[]) => void
  /** A remark for a person, on stderr; silent with `--json`. */
  readonly remark: (line: string) => void
  readonly progress: Progress
  /** Ends the progress display. */
  readonly close: () => void
}

type Streams = {
  readonly out: { write: (text: string) => unknown }
  readonly err: { write: (text: string) => unknown; readonly isTTY?: boolean | undefined }
}

/** Steps shorter than this are not shown: they would only flicker. */
const QUIET_MILLISECONDS = 300

/** Opens the terminal of one command. */
export function openTerminal(json: boolean, { out, err }: Streams): Terminal {
  const interactive = err.isTTY === true
  let step = ''
  let began = Date.now()
  let timer: NodeJS.Timeout | undefined
  let shown = false
  let counts = ''
  const line = () => `  ${step}${counts} … ${((Date.now() - began) / 1000).toFixed(0)} s`
  const draw = () => {
    shown = true
    err.write(interactive ? `\r\x1b[2K${line()}` : `  ${step} …\n`)
  }
  const stop = () => {
    if (timer !== undefined) clearInterval(timer)
    timer = undefined
    if (!shown) return
    const seconds = ((Date.now() - began) / 1000).toFixed(1)
    err.write(interactive ? `\r\x1b[2K  ${step} (${seconds} s)\n` : '')
    shown = false
  }
  const progress: Progress = (event) => {
    counts = event.total === undefined ? '' : ` ${event.done ?? 0}/${event.total}`
    if (event.step === step) return
    stop()
    step = event.step
    began = Date.now()
    timer = setInterval(
      () => (interactive || !shown ? draw() : undefined),
      interactive ? 200 : QUIET_MILLISECONDS,
    )
    timer.unref()
  }
  return {
    json,
    progress: json ? () => {} : progress,
    close: stop,
    remark: (text) => {
      stop()
      step = ''
      if (!json) err.write(`${printable(text)}\n`)
    },
    result: (value, lines) => {
      stop()
      out.write(json ? `${toJson(value)}\n` : lines.map((text) => `${text}\n`).join(''))
    },
  }
}

/** JSON with big integers as decimal strings: the same in every command. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item), 2)
}

/** What a person or a program is told when a command ends in an error. */
export function describeError(error: unknown): {
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
  readonly exitCode: number
} {
  if (error instanceof PlatemarkError)
    return {
      // Messages quote what was found, and that may be a stranger's; their own line ends stay.
      text: `error: ${error.message.split('\n').map(printable).join('\n')}`,
      json: {
        error: {
          message: error.shortMessage,
          expected: error.expected,
          found: error.found,
          fix: error.fix,
        },
      },
      exitCode: 2,
    }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return {
    text: `internal error: this is a bug in platemark, please report it\n${stack}`,
    json: { error: { message: 'internal error', found: stack } },
    exitCode: 70,
  }
}

/** 1234567 bytes as `1.2 MB`. */
export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** Rows of label and value, aligned. */
export function rows(pairs: readonly (readonly [string, string | number | bigint])[]): string[] {
  const width = Math.max(...pairs.map(([label]) => label.length))
  return pairs.map(([label, value]) =>
    `${label.padEnd(width)}  ${typeof value === 'number' ? value.toLocaleString('en-US') : value}`.trimEnd(),
  )
}

/** Rows of cells, aligned: numbers to the right, the last cell as it is. */
export function table(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((cells) => cells[i]!.length)))
  return lines.map((cells) =>
    cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padStart(widths[i]!))).join('  '),
  )
}
