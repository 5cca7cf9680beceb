/**
 * Wires by signal name, from the text of circom's `.sym` file: lines `label,wire,component,name`. The
 * wire is −1 for signals that the compiler removed.
 *
 * @param keep - chooses names
 * @example
 * symbolWires(symbols, (name) => name.startsWith('main.pixel[')).get('main.pixel[0]')
 */
export function symbolWires(
  symbols: string,
  keep: (name: string) => boolean,
): ReadonlyMap<string, number> {
  const wires = new Map<string, number>()
  for (const line of symbols.split('\n')) {
    const [, wire, , name] = line.split(',')
    if (wire === undefined || name === undefined || !keep(name)) continue
    if (Number(wire) >= 0) wires.set(name, Number(wire))
  }
  return wires
}
