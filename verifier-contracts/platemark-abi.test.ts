import { type Abi, type AbiItem, toFunctionSelector } from 'viem'
import { formatAbiItem } from 'viem/utils'
import { compilePackageContract, compileSolidity } from './compile-solidity.js'
import {
  collectionAbi,
  engineAbi,
  generatedVerifierAbi,
  registryAbi,
  verifierAbi,
} from './platemark-abi.js'
import { generatedFiles } from './test/generated-files.js'

/** Name, types, mutability and indexing of an item, without parameter names. */
function shape(item: AbiItem): string {
  if (item.type === 'constructor') return `constructor(${JSON.stringify(types(item.inputs))})`
  if (item.type === 'function')
    return `${toFunctionSelector(item)} ${formatAbiItem(item)} ${item.stateMutability} ${JSON.stringify(types(item.outputs))}`
  if (item.type === 'event')
    return `event ${formatAbiItem(item)} ${item.inputs.map(({ indexed }) => indexed === true)}`
  return `${item.type} ${formatAbiItem(item as never)}`
}

type Parameter = { readonly type: string; readonly components?: readonly Parameter[] }

function types(parameters: readonly Parameter[]): unknown {
  return parameters.map(({ type, components }) =>
    components === undefined ? type : [type, types(components)],
  )
}

// `pure` and `view` call alike; the interface says `view` where a verifier can be `pure`.
const pureAsView = (text: string) => text.replace(' pure ', ' view ')

test.each<[string, Abi, () => Promise<{ readonly abi: Abi }>]>([
  ['ModelRegistry', registryAbi, () => compilePackageContract('ModelRegistry')],
  ['PlatemarkNFT', collectionAbi, () => compilePackageContract('PlatemarkNFT')],
  ['SumcheckVerifier', engineAbi, () => compilePackageContract('SumcheckVerifier')],
  [
    'a generated verifier',
    [...verifierAbi, ...generatedVerifierAbi],
    () => compileSolidity(generatedFiles().slice(0, 1)),
  ],
])(
  'every item is what the compiler says of %s',
  async (_, ours, compile) => {
    const { abi } = await compile()
    const compiled = new Set(abi.map(shape).map(pureAsView))
    expect(
      ours
        .map(shape)
        .map(pureAsView)
        .filter((item) => !compiled.has(item)),
    ).toEqual([])
  },
  240_000,
)
