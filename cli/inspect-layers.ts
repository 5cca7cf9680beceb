import { join } from 'node:path'
import { type Field, readJsonFile } from '../model-export/json-fields.js'
import { type Terminal, table } from './terminal.js'

/** `inspect --layers`: bits, error and worth of every layer, from the compiled model's report. */
export async function inspectLayers(path: string, terminal: Terminal): Promise<void> {
  const report = await readJsonFile(join(path, 'report.json'), 'report of the compiled model')
  const layers = report.get('nodes').items().map(readLayer)
  const choice = report.find('choice')?.get('why').plain() ?? ''
  const cells = layers.map((it) => [
    it.shape.join('×'),
    whole(it.weightBits),
    whole(it.outputBits),
    it.tableRows.toLocaleString('en-US'),
    decibels(it.ownSnr),
    decibels(it.accumulatedSnr),
    decibels(it.imagePsnr),
    ...(layers.some(({ bits }) => bits !== undefined)
      ? [worth(it.bits?.weightBit), worth(it.bits?.activationBit)]
      : []),
    it.name,
  ])
  const heads = ['outputs', 'weight bits', 'output bits', 'rows', 'alone', 'so far', 'image']
  const worths = ['weight bit', 'output bit']
  const head = [...heads, ...(cells[0]!.length > 8 ? worths : []), 'layer']
  terminal.result({ kind: 'layers', choice, layers }, [
    `chosen: ${choice}`,
    '',
    ...table([head, ...cells]),
    '',
    'alone, so far  signal to noise in dB of the layer quantized alone, and with all before it; more is better',
    'image          PSNR in dB when this layer alone is quantized: the least one hurts most',
    ...(head.includes('weight bit')
      ? [
          'weight bit     what a bit less would cost the image in dB, and save of the circuit, from equal bits everywhere',
        ]
      : []),
  ])
}

type Worth = { readonly costs: number; readonly saves: number }

function readLayer(node: Field) {
  const number = (name: string) => node.find(name)?.number()
  const bits = node.find('bits')
  const readWorth = (name: string): Worth | undefined => {
    const field = bits?.find(name)
    return field && { costs: field.get('costs').number(), saves: field.get('saves').number() }
  }
  return {
    name: node.get('name').plain(),
    shape: node
      .get('output')
      .items()
      .map((size) => size.number()),
    weightBits: number('weightBits'),
    outputBits: number('outputBits'),
    tableRows: node.get('tableRows').number(),
    ownSnr: number('ownSnr'),
    accumulatedSnr: number('accumulatedSnr'),
    imagePsnr: number('imagePsnr'),
    bits: bits && {
      weightBit: readWorth('weightBit'),
      activationBit: readWorth('activationBit'),
    },
  }
}

const whole = (value: number | undefined) => (value === undefined ? '–' : String(value))
const decibels = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(1))
const worth = (bit: Worth | undefined) =>
  bit === undefined ? '–' : `${bit.costs.toFixed(1)} dB, ${(bit.saves * 100).toFixed(1)}%`
