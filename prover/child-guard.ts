/** Children that are still running; they must not outlive us. */
const running = new Set<() => void>()

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/** Ends a child, by calling `kill`, when this process ends before `release` is called with the same function. */
export function guard(kill: () => void): void {
  if (running.size === 0) {
    process.on('exit', killRunning)
    for (const signal of Object.keys(SIGNALS)) process.on(signal, onSignal)
  }
  running.add(kill)
}

/** The child has ended by itself. */
export function release(kill: () => void): void {
  if (!running.delete(kill) || running.size > 0) return
  process.off('exit', killRunning)
  for (const signal of Object.keys(SIGNALS)) process.off(signal, onSignal)
}

function killRunning(): void {
  for (const kill of [...running]) {
    kill()
    release(kill)
  }
}

/**
 * A child in the middle of a computation does not see that its input has closed. Unless the program has
 * a handler of its own, ends it as the signal would have, but with its `exit` handlers.
 */
function onSignal(signal: keyof typeof SIGNALS): void {
  killRunning()
  if (process.listenerCount(signal) === 0) process.exit(128 + SIGNALS[signal])
}
