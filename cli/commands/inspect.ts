import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readJsonFile } from '../../model-export/json-fields.js'
import { describeOnnx } from '../../model-export/onnx/describe-onnx.js'
import { readOnnxFile } from '../../model-export/onnx/read-onnx-file.js'
import { readPlate } from '../../model-export/plate.js'
import { backends } from '../../prover/backends.js'
import { parseSetupRecord } from '../../prover/setup-record.js'
import { type Register, subcommand } from '../command.js'
import { conditionRows, conditionsJson } from '../condition-lines.js'
import { inspectLayers } from '../inspect-layers.js'
import { rows, type Terminal } from '../terminal.js'

/** `inspect`: what is in an ONNX file or a compiled model. */
export const inspect: Register = (program, run) => {
  program.addCommand(
    subcommand('inspect', 'Show what is in an ONNX file or in a compiled model.', [
      'platemark inspect model.onnx',
      'platemark inspect model.plate/',
      'platemark inspect model.plate/ --layers',
    ])
      .argument('<path>', 'ONNX file or compiled model')
      .option(
        '--layers',
        'bits and error of each layer of a compiled model, against the float model',
      )
      .action((path: string, options: { readonly json?: boolean; readonly layers?: boolean }) =>
        run(options.json === true, async (terminal) => {
          if (options.layers === true) {
            await inspectLayers(path, terminal)
            return 0
          }
          await (existsSync(join(path, 'model.json'))
            ? inspectPlate(path, terminal)
            : inspectOnnx(path, terminal))
          return 0
        }),
      ),
  )
}

async function inspectOnnx(path: string, terminal: Terminal): Promise<void> {
  const bytes = await readOnnxFile(path, 'an ONNX file or a compiled model (.plate folder)')
  const found = describeOnnx(bytes)
  terminal.result({ kind: 'onnx', ...found }, [
    ...rows([
      ['producer', found.producer || '(unknown)'],
      ['opset', found.opset],
      ['parameters', found.parameters],
      ...found.inputs.map((it) => ['input', `${it.name} ${it.shape.join('×')}`] as const),
      ...found.outputs.map((it) => ['output', `${it.name} ${it.shape.join('×')}`] as const),
    ]),
    'operators',
    ...Object.entries(found.operators).map(([name, count]) => `  ${name} ×${count}`),
  ])
}

async function inspectPlate(path: string, terminal: Terminal): Promise<void> {
  const { model, modelId } = await readPlate(path)
  const setups = await Promise.all(
    backends
      .filter(({ name }) => existsSync(join(path, name, 'setup.json')))
      .map(async ({ name }) => {
        const file = join(path, name, 'setup.json')
        return parseSetupRecord(await readJsonFile(file, 'setup record'))
      }),
  )
  const { height, width, channels } = model.image
  const nodes = model.nodes.map((node) => ({
    name: node.name,
    kind: node.kind,
    shape: model.tensors[node.output]?.shape ?? [],
    ...(node.kind === 'affine'
      ? {
          terms: node.terms.map((term) => term.kind),
          table: model.tables[node.table]?.description ?? '',
          accumulator: node.accumulator,
          quotient: node.quotient,
          shift: node.requantize.shift,
        }
      : {}),
  }))
  terminal.result(
    {
      kind: 'plate',
      name: model.name,
      modelId,
      latent: { dimensions: model.latent.dimensions, distribution: model.latent.distribution },
      ...conditionsJson(model),
      image: { height, width, channels },
      profile: model.source.profile,
      onnxSha256: model.source.onnxSha256,
      nodes,
      setups,
    },
    [
      ...rows([
        ['name', model.name],
        ['model id', modelId],
        ['latent', `${model.latent.dimensions} dimensions, ${model.latent.distribution}`],
        ...conditionRows(model),
        ['image', `${height} × ${width} × ${channels}`],
        ['profile', model.source.profile],
        ['ONNX SHA-256', model.source.onnxSha256],
        ...setups.map((it) => [`${it.backend} keys`, it.note] as const),
      ]),
      'nodes',
      ...nodes.map(
        (node) =>
          `  ${node.name}: ${node.kind} → ${node.shape.join('×')}${'table' in node ? `, ${node.table}` : ''}`,
      ),
    ],
  )
}
