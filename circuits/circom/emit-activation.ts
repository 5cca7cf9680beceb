import { OR_BY_INVERSE, type SegmentPlan, type WindowPlan } from './activation-plan.js'
import { balancedSum, type CircomText, emitSelector } from './selector.js'

/**
 * A template of one activation: input `u` = acc · multiplier + `inputOffset(plan)`, output `out`.
 * Prover hints stand on `<--` lines only, and every signal that one assigns is bound by the
 * constraints after it.
 *
 * One template with a component an element, and not a loop, because the compiler then derives the
 * constraints once and copies them: six times faster.
 *
 * @param name - of the template, unique in the circuit
 */
export function emitActivation(plan: WindowPlan | SegmentPlan, name: string): string[] {
  const { functions, declarations, statements } =
    plan.kind === 'window' ? emitWindow(plan) : emitSegments(plan, name)
  const body = ['signal input u;', 'signal output out;', ...declarations, ...statements]
  return [...functions, `template ${name}() {`, ...body.map((line) => `  ${line}`), '}']
}

/** What makes u = acc · multiplier + offset a non-negative integer for every acc of the interval. */
export function inputOffset(plan: WindowPlan | SegmentPlan): bigint {
  const offset = BigInt(plan.half) - BigInt(plan.origin) * 2n ** BigInt(plan.shift)
  return plan.kind === 'window' && plan.signed ? offset + 2n ** BigInt(plan.bits) : offset
}

type ActivationText = CircomText & { readonly functions: readonly string[] }

/** `signal` becomes the bits of `value`, which also bounds it to [0, 2^width). */
export function emitBits(signal: string, value: string, width: number): string[] {
  return [
    // The shift makes the compiler forget the linear combination: hints need not carry it around.
    `var ${signal}Hint = ${value} >> 0;`,
    `for (var i = 0; i < ${width}; i++) {`,
    `  ${signal}[i] <-- (${signal}Hint >> i) & 1;`,
    `  ${signal}[i] * (${signal}[i] - 1) === 0;`,
    '}',
    `${value} === ${bitSum(signal, 0, width)};`,
  ]
}

/** The integer of the bits from `first` to `end`. */
function bitSum(signal: string, first: number, end: number): string {
  return balancedSum(
    Array.from({ length: end - first }, (_, i) => `${2n ** BigInt(i)} * ${signal}[${first + i}]`),
  )
}

function emitWindow(plan: WindowPlan): ActivationText {
  const { shift, bits, signed, value, saturation } = plan
  const width = signed ? bits + 1 : bits
  const declarations = [`signal bit[${width}];`]
  const statements = [...emitBits('bit', 'u', width), `var w = ${bitSum('bit', shift, bits)};`]
  if (value.kind === 'linear')
    statements.push(`var inside = (${value.slope}) * w + (${value.offset});`)
  else {
    const text = emitSelector(value.selector, 'sel', (i) => `bit[${shift} + ${i}]`)
    declarations.push(...text.declarations)
    statements.push(...text.statements, 'var inside = sel_value;')
  }
  if (saturation.kind !== 'none') {
    const text =
      saturation.kind === 'bits'
        ? emitAnyBit(shift + saturation.width, bits)
        : emitCompare(bits - shift, saturation.limit)
    declarations.push(...text.declarations, `signal unsaturated;`)
    statements.push(
      ...text.statements,
      `unsaturated <== (1 - saturated) * (inside - (${plan.high}));`,
      `inside = unsaturated + (${plan.high});`,
    )
  }
  statements.push(
    signed ? `out <== bit[${bits}] * (inside - (${plan.low})) + (${plan.low});` : 'out <== inside;',
  )
  return { functions: [], declarations, statements }
}

/** `saturated` becomes 1 when one of the bits from `first` to `end` is set, else 0. */
function emitAnyBit(first: number, end: number): CircomText {
  const bits = Array.from({ length: end - first }, (_, i) => `bit[${first + i}]`)
  if (bits.length === 1) return { declarations: [], statements: [`var saturated = ${bits[0]};`] }
  if (bits.length < OR_BY_INVERSE) {
    const statements = bits
      .slice(1)
      .map(
        (bit, i) =>
          `clear[${i}] <== (1 - ${bit}) * ${i === 0 ? `(1 - ${bits[0]})` : `clear[${i - 1}]`};`,
      )
    return {
      declarations: [`signal clear[${bits.length - 1}];`],
      statements: [...statements, `var saturated = 1 - clear[${bits.length - 2}];`],
    }
  }
  // saturated = set · inverse is 0 for set = 0; for set ≠ 0 the second constraint makes it 1. `set`
  // counts bits, so it is not 0 in the field either.
  return {
    declarations: [`signal inverse;`, `signal anySet;`],
    statements: [
      `var set = ${bits.join(' + ')};`,
      'inverse <-- set != 0 ? 1 / set : 0;',
      'anySet <== set * inverse;',
      '(1 - anySet) * set === 0;',
      'var saturated = anySet;',
    ],
  }
}

/** `saturated` becomes 1 when w ≥ limit, for w below 2^width. */
function emitCompare(width: number, limit: number): CircomText {
  return {
    declarations: [`signal over[${width + 1}];`],
    statements: [
      `var distance = w + (${2n ** BigInt(width) - BigInt(limit)});`,
      ...emitBits('over', 'distance', width + 1),
      `var saturated = over[${width}];`,
    ],
  }
}

function emitSegments(plan: SegmentPlan, name: string): ActivationText {
  const { shift, codeBits, insideBits, starts, codes } = plan
  const power = 2n ** BigInt(shift)
  const search = `${name}Code`
  const steps = Math.ceil(Math.log2(starts.length)) + 1
  const functions = [
    `// Witness only: the code of the last segment that starts at or before q.`,
    `function ${search}(q) {`,
    `  var start[${starts.length}] = [${starts.join(',')}];`,
    `  var code[${codes.length}] = [${codes.join(',')}];`,
    '  var low = 0;',
    `  var high = ${starts.length - 1};`,
    `  for (var step = 0; step < ${steps}; step++) {`,
    '    if (low < high) {',
    '      var middle = (low + high + 1) \\ 2;',
    '      if (start[middle] <= q) { low = middle; } else { high = middle - 1; }',
    '    }',
    '  }',
    '  return code[low];',
    '}',
  ]
  const declarations = [`signal code[${codeBits}];`]
  const insideWidth = shift + insideBits
  if (insideWidth > 0) declarations.push(`signal bit[${insideWidth}];`)
  const selector = emitSelector(plan.selector, 'seg', (i) => `code[${i}]`)
  declarations.push(...selector.declarations)
  const statements = [
    `var found = ${search}(u >> ${shift});`,
    `for (var i = 0; i < ${codeBits}; i++) {`,
    '  code[i] <-- (found >> i) & 1;',
    '  code[i] * (code[i] - 1) === 0;',
    '}',
    ...selector.statements,
    `var rest = u - seg_start * ${power};`,
    ...(insideWidth > 0 ? emitBits('bit', 'rest', insideWidth) : ['rest === 0;']),
    `var inside = ${bitSum('bit', shift, insideWidth)};`,
  ]
  if (plan.checkLength) {
    statements.push('var left = seg_length - 1 - inside;')
    if (insideBits > 0) {
      declarations.push(`signal gap[${insideBits}];`)
      statements.push(...emitBits('gap', 'left', insideBits))
    } else statements.push('left === 0;')
  }
  const slope = plan.selector.functions.find((f) => f.name === 'slope')?.affine
  const flat = slope?.every((factor) => factor === 0n) ?? false
  statements.push(`out <== ${flat ? '' : 'seg_slope * inside + '}seg_value;`)
  return { functions, declarations, statements }
}
