/**
 * Makes a Solidity identifier in PascalCase from any text: ASCII letters and digits only, so nothing
 * in the text can leave the identifier. Accents are folded, everything else separates words.
 *
 * @param text - a name that anybody may have chosen
 * @returns 1 to 64 characters, starting with an upper-case letter
 * @example
 * solidityIdentifier('sunrises decoder-v2') // 'SunrisesDecoderV2'
 */
export function solidityIdentifier(text: string): string {
  const words = text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
  const name = words.join('')
  const startsWithLetter = /^[A-Z]/.test(name)
  return `${startsWithLetter ? '' : 'Model'}${name}`.slice(0, 64)
}

/**
 * Makes text safe inside a `///` comment, and inside a double-quoted literal. What ends a comment line,
 * starts or ends a block comment, or starts a NatSpec tag is gone, and so are quotes, backslashes and
 * every character that is not printable ASCII (bidirectional controls among them).
 *
 * @param text - text that anybody may have chosen
 * @returns at most 200 characters
 * @example
 * solidityComment('mine *\/ contract Evil {}') // 'mine contract Evil'
 */
export function solidityComment(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9 .,:;()+=#'_-]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, 200)
    .trim()
}
