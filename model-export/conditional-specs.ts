import type { NodeSpec, OnnxSpec, TensorSpec } from './onnx/build-onnx.js'

/*
 * Small generators of 8×8 images with inputs besides the latent, for tests.
 */

/** Weights that look random and are the same on every machine. */
export function weights(seed: number, shape: readonly number[], spread = 1): TensorSpec {
  const count = shape.reduce((a, b) => a * b, 1)
  const data = Array.from({ length: count }, (_, i) => {
    const mixed = Math.imul((i + 1) * 2654435761 + seed * 40503, 0x85ebca6b) >>> 0
    return Math.fround(((mixed % 2001) / 1000 - 1) * spread)
  })
  return { shape, data }
}

/** How the class comes into the graph. */
export type LabelForm =
  | 'gather'
  | 'gather of Keras'
  | 'one-hot operator'
  | 'equal'
  | 'one-hot input'

export const CLASSES = 5
const LATENT = 4
const EMBEDDED = 6

const classNodes: Readonly<Record<LabelForm, readonly NodeSpec[]>> = {
  gather: [{ operator: 'Gather', inputs: ['table', 'label'], outputs: ['embedded'] }],
  // A negative index counts from the end.
  'gather of Keras': [
    { operator: 'Add', inputs: ['label', 'classes'], outputs: ['fromEnd'] },
    { operator: 'Cast', inputs: ['label'], outputs: ['signed'], attributes: { to: { int: 1 } } },
    { operator: 'Less', inputs: ['signed', 'zero'], outputs: ['below'] },
    { operator: 'Where', inputs: ['below', 'fromEnd', 'label'], outputs: ['index'] },
    { operator: 'Gather', inputs: ['table', 'index'], outputs: ['embedded'] },
  ],
  'one-hot operator': [
    { operator: 'OneHot', inputs: ['label', 'classes', 'values'], outputs: ['hot'] },
    { operator: 'MatMul', inputs: ['hot', 'table'], outputs: ['embedded'] },
  ],
  equal: [
    { operator: 'Cast', inputs: ['label'], outputs: ['real'], attributes: { to: { int: 1 } } },
    { operator: 'Equal', inputs: ['real', 'range'], outputs: ['same'] },
    { operator: 'Cast', inputs: ['same'], outputs: ['hot'], attributes: { to: { int: 1 } } },
    { operator: 'Unsqueeze', inputs: ['hot', 'axis'], outputs: ['row'] },
    { operator: 'MatMul', inputs: ['row', 'table'], outputs: ['embedded'] },
  ],
  'one-hot input': [{ operator: 'MatMul', inputs: ['label', 'table'], outputs: ['embedded'] }],
}

/**
 * z (4 values) and the class `label` make an image; the class is embedded and put behind z. With `styled`,
 * z is multiplied by a further input `style` before.
 */
export function labelGenerator(form: LabelForm, styled = false): OnnxSpec {
  const int64 = (shape: readonly number[], ...data: readonly number[]): TensorSpec => ({
    dtype: 'int64',
    shape,
    data,
  })
  const first = styled ? 'scaled' : 'z'
  const nodes: readonly NodeSpec[] = [
    ...classNodes[form],
    ...(styled ? [{ operator: 'Mul', inputs: ['z', 'style'], outputs: ['scaled'] }] : []),
    {
      operator: 'Concat',
      inputs: [first, 'embedded'],
      outputs: ['joined'],
      attributes: { axis: { int: 1 } },
    },
    { operator: 'Gemm', inputs: ['joined', 'w1', 'b1'], outputs: ['h'] },
    { operator: 'Relu', inputs: ['h'], outputs: ['a'] },
    { operator: 'Reshape', inputs: ['a', 'map'], outputs: ['m'] },
    {
      operator: 'ConvTranspose',
      inputs: ['m', 'w2'],
      outputs: ['o'],
      attributes: { strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } },
    },
    { operator: 'Tanh', inputs: ['o'], outputs: ['image'] },
  ]
  const read = new Set(nodes.flatMap(({ inputs }) => inputs))
  const constants: Readonly<Record<string, TensorSpec>> = {
    table: weights(1, [CLASSES, EMBEDDED]),
    classes: int64([], CLASSES),
    values: { shape: [2], data: [0, 1] },
    range: { shape: [CLASSES], data: Array.from({ length: CLASSES }, (_, i) => i) },
    axis: int64([1], 0),
    zero: { shape: [], data: [0] },
    w1: weights(2, [LATENT + EMBEDDED, 64], 0.5),
    b1: weights(3, [64], 0.2),
    map: int64([4], 1, 4, 4, 4),
    w2: weights(4, [4, 1, 4, 4], 0.4),
  }
  const isReal = form === 'one-hot input'
  return {
    inputs: {
      z: ['batch', LATENT],
      label: isReal ? ['batch', CLASSES] : ['batch'],
      ...(styled ? { style: ['batch', LATENT] } : {}),
    },
    ...(isReal ? {} : { inputTypes: { label: 'int64' } }),
    outputs: ['image'],
    initializers: Object.fromEntries(Object.entries(constants).filter(([name]) => read.has(name))),
    nodes,
  }
}

/** z, a style that scales and shifts the features, and a time that is added: all real. */
export function styleGenerator(): OnnxSpec {
  return {
    inputs: { z: ['batch', LATENT], style: [1, 3], t: [] },
    outputs: ['image'],
    initializers: {
      w1: weights(2, [LATENT, 64], 0.5),
      ws: weights(5, [3, 64], 0.3),
      wb: weights(6, [3, 64], 0.3),
      one: { shape: [1], data: [1] },
      w3: weights(7, [64, 64], 0.12),
      size: { dtype: 'int64', shape: [4], data: [1, 1, 8, 8] },
    },
    nodes: [
      { operator: 'MatMul', inputs: ['z', 'w1'], outputs: ['h'] },
      { operator: 'Relu', inputs: ['h'], outputs: ['a'] },
      { operator: 'MatMul', inputs: ['style', 'ws'], outputs: ['s'] },
      { operator: 'Add', inputs: ['s', 'one'], outputs: ['scale'] },
      { operator: 'Mul', inputs: ['a', 'scale'], outputs: ['scaled'] },
      { operator: 'MatMul', inputs: ['style', 'wb'], outputs: ['shift'] },
      { operator: 'Add', inputs: ['scaled', 'shift'], outputs: ['styled'] },
      { operator: 'Add', inputs: ['styled', 't'], outputs: ['timed'] },
      { operator: 'MatMul', inputs: ['timed', 'w3'], outputs: ['o'] },
      { operator: 'Tanh', inputs: ['o'], outputs: ['y'] },
      { operator: 'Reshape', inputs: ['y', 'size'], outputs: ['image'] },
    ],
  }
}
