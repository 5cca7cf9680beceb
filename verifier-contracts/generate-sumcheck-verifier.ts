import { bytesToHex, type Hex } from 'viem'
import type { ConditionDescriptor } from '../circuits/sumcheck/descriptor.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { SolidityFile } from '../prover/backend.js'
import { readKey } from '../prover/sumcheck/verifier/read-key.js'
import { Rejection } from '../prover/sumcheck/verifier/reject.js'
import { keyDigest } from '../prover/sumcheck/verifier/verify.js'
import { encodeSumcheckKey, type SumcheckKeyFile } from './encode-sumcheck-key.js'
import {
  chainGuard,
  checkOrigin,
  selfContainedSource,
  setupComment,
  type VerifierOrigin,
} from './generated-verifier.js'
import { solidityComment, solidityIdentifier } from './solidity-text.js'
import { ENGINE_CODE_HASH } from './sumcheck-engine.js'

/** What a generated verifier is made from. */
export type GenerateSumcheckVerifierOptions = VerifierOrigin & {
  /** The model's name; anything, as only letters and digits of it reach the source. */
  readonly name: string
  /** Content of the key file. */
  readonly key: unknown
  /** Version of this toolkit. */
  readonly toolVersion: string
  /**
   * keccak-256 of the code of the engine that the verifier accepts: by default of `SumcheckVerifier` as
   * the toolkit compiles and deploys it. Whoever compiles it with other settings gives its hash.
   */
  readonly engineCodeHash?: Hex
}

/** Most bytes of a key: what a contract can hold, less the code around it. */
const MOST_KEY_BYTES = 18_000

/**
 * Writes the verifier contract of one model: one self-contained file, named after the contract in it. It
 * holds the key and calls the engine whose address its constructor is given.
 *
 * A verifier for an insecure key says so in its name and NatSpec and reverts on every chain but a
 * local one.
 *
 * @throws {PlatemarkError} for an insecure key without `allowInsecureSetup`, a key that verifiers refuse,
 * and a key that is too large for a contract.
 * @example
 * const [file] = generateSumcheckVerifier({
 *   name: 'sprites', key, insecure: false, note: 'ceremony of 3', toolVersion: '0.1.0',
 * })
 * file.path // 'SpritesSumcheckVerifier.sol'
 */
export function generateSumcheckVerifier(
  options: GenerateSumcheckVerifierOptions,
): readonly SolidityFile[] {
  checkOrigin(options)
  const key = checkedKey(options.key)
  const digest = keyDigest(options.key)
  const encoded = encodeSumcheckKey(key, digest)
  if (encoded.length > MOST_KEY_BYTES)
    throw new PlatemarkError('The key is too large for a contract.', {
      expected: `at most ${MOST_KEY_BYTES} bytes`,
      found: `${encoded.length} bytes, ${key.commitments.length} commitments among them`,
      fix: 'Compile the model with longer columns (--column-bits).',
    })
  const contract = sumcheckVerifierName(options.name, options.insecure)
  const pixels = key.image.binding === 'pixels'
  const source = selfContainedSource(
    [
      'IImageVerifier',
      ...(pixels ? ['IPixelVerifier'] : []),
      'ISumcheckVerifier',
      'SumcheckImageVerifier',
      ...(key.conditions === undefined
        ? []
        : ['IConditionedVerifier', 'SumcheckConditionedVerifier']),
    ],
    contractSource(contract, options, { key, digest: bytesToHex(digest), encoded }),
    options.toolVersion,
  )
  return [{ path: `${contract}.sol`, source }]
}

/**
 * Name of the generated contract, and of its file without `.sol`.
 *
 * @example
 * sumcheckVerifierName('sprites', false) // 'SpritesSumcheckVerifier'
 */
export function sumcheckVerifierName(model: string, insecure: boolean): string {
  return `${solidityIdentifier(model)}${insecure ? 'InsecureDevelopment' : ''}SumcheckVerifier`
}

function checkedKey(content: unknown): SumcheckKeyFile {
  try {
    readKey(content)
  } catch (error) {
    if (!(error instanceof Rejection)) throw error
    throw new PlatemarkError('The verifying key is not one of the sumcheck backend.', {
      found: error.message,
      fix: 'Run `platemark setup` for this model.',
    })
  }
  const key = content as SumcheckKeyFile
  if (!/^0x[0-9a-f]{64}$/.test(key.modelId))
    throw new PlatemarkError('The model id is malformed.', {
      expected: '0x and 64 lowercase hex digits',
      found: JSON.stringify(key.modelId).slice(0, 100),
    })
  return key
}

/** The bytes of the conditions in words. */
function describeConditions(conditions: readonly ConditionDescriptor[]): string {
  return conditions
    .map((condition) =>
      condition.kind === 'label'
        ? `a label below ${condition.classes} (2 bytes)`
        : `a vector of ${condition.dimensions} bytes`,
    )
    .join(', ')
}

/** Bytes of a line of the key's literal. */
const LINE_BYTES = 32

function hexLiteral(bytes: Uint8Array): string {
  return Array.from({ length: Math.ceil(bytes.length / LINE_BYTES) }, (_, i) => {
    const line = bytes.subarray(LINE_BYTES * i, LINE_BYTES * (i + 1))
    return `        hex"${bytesToHex(line).slice(2)}"`
  }).join('\n')
}

function contractSource(
  contract: string,
  options: GenerateSumcheckVerifierOptions,
  {
    key,
    digest,
    encoded,
  }: { readonly key: SumcheckKeyFile; readonly digest: Hex; readonly encoded: Uint8Array },
): string {
  const { height, width, channels, binding } = key.image
  const pixels = binding === 'pixels'
  const { conditions } = key
  const base = conditions === undefined ? 'SumcheckImageVerifier' : 'SumcheckConditionedVerifier'
  return `/// @title Sumcheck verifier of the model ${solidityIdentifier(options.name)}
/// @notice Verifies that the model with id MODEL_ID generates a given image from a given seed${conditions === undefined ? '' : ' and conditions'}.
/// \`image\` is ${
    pixels
      ? `the pixels, ${height * width * channels} bytes; the image hash is their keccak256.`
      : 'the 32-byte image hash, which stands for a KZG commitment to the pixels.'
  }${conditions === undefined ? '' : `\n/// \`conditions\` is ${describeConditions(conditions)}.`}
${setupComment(options)}
contract ${contract} is ${pixels ? 'IPixelVerifier, ' : ''}${base} {
    /// @notice Version of the toolkit that wrote this contract.
    string public constant VERSION = "platemark ${solidityComment(options.toolVersion)}";

    /// @notice The model whose images this contract verifies.
    bytes32 public constant MODEL_ID =
        ${key.modelId};

    /// @notice keccak256 of the verifying key's RFC 8785 text; the key below starts with it.
    bytes32 public constant VERIFYING_KEY_HASH =
        ${digest};

    /// @notice keccak256 of the code of the engine.
    bytes32 public constant ENGINE_CODE_HASH =
        ${options.engineCodeHash ?? ENGINE_CODE_HASH};

    /// @notice Whether whoever made the key can forge proofs.
    bool public constant INSECURE_SETUP = ${options.insecure};

    /// @dev The key as \`SumcheckKey\` describes it.
    bytes private constant KEY =
${hexLiteral(encoded)};

    /// @param engine A deployed \`SumcheckVerifier\` with the code that ENGINE_CODE_HASH says.
    constructor(ISumcheckVerifier engine) SumcheckImageVerifier(engine) {}

    /// @inheritdoc IImageVerifier
    function modelId() external pure returns (bytes32 id) {
        return MODEL_ID;
    }

    /// @inheritdoc IImageVerifier
    function verifyingKeyHash() external pure returns (bytes32 hash) {
        return VERIFYING_KEY_HASH;
    }
${
  pixels
    ? `
    /// @inheritdoc IPixelVerifier
    function imageSize()
        external
        pure
        returns (uint256 height, uint256 width, uint256 channels)
    {
        return (${height}, ${width}, ${channels});
    }
`
    : ''
}${chainGuard('SumcheckImageVerifier', options)}
    /// @inheritdoc SumcheckImageVerifier
    function _engineCodeHash() internal pure override returns (bytes32) {
        return ENGINE_CODE_HASH;
    }

    /// @inheritdoc SumcheckImageVerifier
    function _key() internal pure override returns (bytes memory) {
        return KEY;
    }
}`
}
