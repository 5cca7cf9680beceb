import { assembleModel, isRowSum, type QuantizationPlan } from './assemble-model.js'
import { bestSaturation } from './calibrate.js'
import type { FloatAffine } from './float-model.js'
import type { AffineNode, IntegerModel, Table } from './integer-model.js'
import type { Range } from './intervals.js'
import type { Profile } from './profiles.js'
import { makeTable, type OutputCode, steepest } from './quantize-affine.js'
import { hasPole, isHomogeneous, isUneven, jumps, type UnaryChain } from './unary.js'

/** Layers of the same function, and the table that all of them look up. */
type Group = {
  readonly nodes: readonly FloatAffine[]
  readonly activation: UnaryChain
  readonly signed: boolean
  /** Whether outputs saturate before rows end: sums of a row do not. */
  readonly clamped: boolean
  /** Integers up to this one are outputs: the saturation of every layer. */
  levels: number
  /** The largest slope; known when the first model has shown where the function is looked up. */
  slope: number
}

/** Tries until the levels fit the tables; two or three are usual, as rows grow with levels. */
const MOST_TRIES = 8

/**
 * Builds the integer model of a plan with one table for all layers of the same function.
 *
 * Where the function is homogeneous (f(c·x) = c·f(x) for c > 0, as ReLU is), the rows of a layer are as
 * wide as its own outputs need: with one row an output integer, the table's content does not know the
 * layer's scale. Layers of another function have a scale in common. Then layers look up different runs
 * of one list of rows, and the table is their union.
 *
 * The number of output levels is the largest for which the union fits the profile's rows.
 */
export function assembleWithSharedTables(plan: QuantizationPlan, profile: Profile): IntegerModel {
  const groups = groupLayers(plan, profile)
  const grouped = new Set(groups.flatMap(({ nodes }) => nodes))
  const alone = plan.model.nodes.filter(
    (node) => node.kind === 'affine' && node !== plan.pixels && !node.exact && !grouped.has(node),
  )
  const tableCount = Math.max(1, groups.length + alone.length)
  const tableBits = Math.max(8, profile.tableBits - Math.ceil(Math.log2(tableCount)))
  const rows = 2 ** tableBits
  let result: IntegerModel | undefined
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const codes = new Map(groups.flatMap((group) => [...groupCodes(group, plan, profile)]))
    const model = assembleModel(plan, { ...profile, tableBits }, codes)
    const unions = groups.map((group) => usedRows(model, plan, group))
    const fits = unions.every(({ min, max }) => max - min < rows)
    if (fits) result = mergeTables(model, plan, groups, codes, unions)
    let changed = false
    groups.forEach((group, g) => {
      const union = unions[g]!
      const slope = slopeWithin(group, codes, union)
      const most = 2 ** (profile.activationBits - (group.signed ? 1 : 0)) - 1
      const room = rows / (union.max - union.min + 1)
      // A little room each time, as the bounds of a layer move with the levels of those before.
      const wanted = group.levels * room * (group.slope / slope) * (1 - (attempt + 1) / 200)
      const levels = Math.max(1, Math.min(most, Math.floor(wanted)))
      changed ||= levels > group.levels * 1.03 || slope !== group.slope
      Object.assign(group, { levels, slope })
    })
    if (fits && !changed) break
  }
  return result ?? assembleModel(plan, profile)
}

/**
 * An exact layer has the integers of its inputs, and a product of two activations has the scale that it
 * has and bounds that are far from its values; and where a function is much steeper in some places, it
 * matters for every layer on its own where it is looked up.
 */
function isShareable({ terms, activation, exact }: FloatAffine): boolean {
  if (exact !== undefined || terms.some(({ kind }) => kind === 'einsum')) return false
  if (activation.some(jumps)) return false
  return isHomogeneous(activation) || !(hasPole(activation) || isUneven(activation))
}

/** Layers by function; the others keep tables of their own. */
function groupLayers({ model, pixels, statistics }: QuantizationPlan, profile: Profile): Group[] {
  const groups = new Map<string, Pick<Group, 'activation' | 'signed'> & { nodes: FloatAffine[] }>()
  for (const node of model.nodes) {
    if (node.kind !== 'affine' || node === pixels || !isShareable(node)) continue
    const signed = statistics.get(node.output)!.min < 0
    // Where nothing is negative, a table of integers as they are is the one of ReLU.
    const copies = node.activation.length === 0 && !signed
    const activation: UnaryChain = copies ? [{ op: 'relu' }] : node.activation
    // Sums of a row have wide bounds and small values: they do not share with layers.
    const key = JSON.stringify([activation, isRowSum(node), isHomogeneous(activation) && signed])
    const group = groups.get(key) ?? { activation, signed: false, nodes: [] }
    group.nodes.push(node)
    groups.set(key, { ...group, signed: group.signed || signed })
  }
  return [...groups.values()].map(({ nodes, activation, signed }) => ({
    nodes,
    activation,
    clamped: !isRowSum(nodes[0]!),
    signed,
    // The bounds of a usual layer are this many times its saturation.
    levels: Math.min(2 ** profile.tableBits / 64, 2 ** (profile.activationBits - 1) - 1),
    slope: 1,
  }))
}

/** What outputs and rows of a group's layers mean, by tensor. */
function groupCodes(
  { nodes, activation, signed, clamped, levels, slope }: Group,
  { statistics }: QuantizationPlan,
  profile: Profile,
): ReadonlyMap<string, SharedCode> {
  const saturations = nodes.map(
    ({ output }) => bestSaturation(statistics.get(output)!, 4 * levels) * profile.headroom || 1,
  )
  const common = Math.max(...saturations)
  const homogeneous = isHomogeneous(activation)
  const most = clamped ? levels : 2 ** profile.tableBits
  const limits = { offset: 0, min: signed ? -most : 0, max: most, elastic: false }
  return new Map(
    nodes.map(({ output }, i) => {
      const saturation = homogeneous ? saturations[i]! : common
      const factor = levels / saturation
      const width = 1 / (slope * factor)
      const [row, perRow] = homogeneous ? [1, 1 / slope] : [width, factor]
      const table = (range: Range) =>
        makeTable(activation, { ...limits, factor: perRow }, row, 0, range)
      return [output, { ...limits, factor, rows: { width, table } }]
    }),
  )
}

type SharedCode = OutputCode & Required<Pick<OutputCode, 'rows'>>

function usedRows(model: IntegerModel, plan: QuantizationPlan, { nodes }: Group): Range {
  const ranges = nodes.map((node) => integerNode(model, plan, node).quotient)
  return {
    min: Math.min(...ranges.map(({ min }) => min)),
    max: Math.max(...ranges.map(({ max }) => max)),
  }
}

/** Nodes of the two models stand in the same order. */
function integerNode(model: IntegerModel, plan: QuantizationPlan, node: FloatAffine): AffineNode {
  return model.nodes[plan.model.nodes.indexOf(node)] as AffineNode
}

function slopeWithin(group: Group, codes: ReadonlyMap<string, SharedCode>, rows: Range): number {
  const width = Math.max(...group.nodes.map(({ output }) => codes.get(output)!.rows.width))
  const { slope } = steepest(group.activation, rows.min * width, rows.max * width)
  return slope > 0 ? slope : group.slope
}

/** Gives all layers of a group the table of the rows that any of them uses. */
function mergeTables(
  model: IntegerModel,
  plan: QuantizationPlan,
  groups: readonly Group[],
  codes: ReadonlyMap<string, SharedCode>,
  unions: readonly Range[],
): IntegerModel {
  const tables: Table[] = []
  const shared = new Map<IntegerModel['nodes'][number], number>()
  groups.forEach(({ nodes }, g) => {
    const table = tables.push(codes.get(nodes[0]!.output)!.rows.table(unions[g]!)) - 1
    for (const node of nodes) shared.set(integerNode(model, plan, node), table)
  })
  const own = new Map<number, number>()
  const pixels = integerNode(model, plan, plan.pixels)
  const nodes = model.nodes.map((node) => {
    if (node.kind !== 'affine') return node
    let table = shared.get(node) ?? own.get(node.table)
    if (table === undefined) {
      const wanted = model.tables[node.table]!
      // Whatever rows the pixels' table has must hold pixels: a lying prover may look any of them up.
      table = findRows(tables, wanted, node === pixels)
      own.set(node.table, table)
    }
    return { ...node, table }
  })
  return { ...model, nodes, tables }
}

/** The table that has these rows already, or else a new one. */
function findRows(tables: Table[], wanted: Table, onlyPixels: boolean): number {
  const found = tables.findIndex(({ first, values }) => {
    if (onlyPixels && values.some((value) => value < 0 || value > 255)) return false
    const start = wanted.first - first
    return (
      start >= 0 &&
      start + wanted.values.length <= values.length &&
      wanted.values.every((value, row) => value === values[start + row])
    )
  })
  return found >= 0 ? found : tables.push(wanted) - 1
}
