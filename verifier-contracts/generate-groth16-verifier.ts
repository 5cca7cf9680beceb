import type { Hex } from 'viem'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { SolidityFile } from '../prover/backend.js'
import {
  chainGuard,
  checkOrigin,
  selfContainedSource,
  setupComment,
  type VerifierOrigin,
} from './generated-verifier.js'
import { type Groth16Key, groth16KeyWords, type KeyWord } from './groth16-key-words.js'
import { solidityComment, solidityIdentifier } from './solidity-text.js'

/** What a generated verifier is made from. */
export type GenerateGroth16VerifierOptions = VerifierOrigin & {
  /** The model's name; anything, as only letters and digits of it reach the source. */
  readonly name: string
  readonly modelId: Hex
  /** Number of latent dimensions, one byte each. */
  readonly latentDimensions: number
  readonly verifyingKey: Groth16Key
  /** `SetupRecord.verifyingKeyHash`. */
  readonly verifyingKeyHash: Hex
  /** Version of this toolkit. */
  readonly toolVersion: string
}

/** What the generated contract is put together from, in the order of their dependencies. */
const PARTS = ['IImageVerifier', 'SeedExpansion', 'Groth16Bn254', 'Groth16ImageVerifier'] as const

/**
 * Writes the verifier contract of one model: one self-contained file, named after the contract in it.
 *
 * A verifier for an insecure key says so in its name and NatSpec and reverts on every chain but a
 * local one.
 *
 * @throws {PlatemarkError} for an insecure key without `allowInsecureSetup`, a key that does not fit the
 * latent dimensions or the hash, and every key that is unusable (see `groth16KeyWords`).
 * @example
 * const [file] = generateGroth16Verifier({
 *   name: 'sprites', modelId, latentDimensions: 16, verifyingKey, verifyingKeyHash,
 *   insecure: false, note: 'ceremony of 3', toolVersion: '0.1.0',
 * })
 * file.path // 'SpritesGroth16Verifier.sol'
 */
export function generateGroth16Verifier(
  options: GenerateGroth16VerifierOptions,
): readonly SolidityFile[] {
  check(options)
  const contract = groth16VerifierName(options.name, options.insecure)
  const source = selfContainedSource(PARTS, contractSource(contract, options), options.toolVersion)
  return [{ path: `${contract}.sol`, source }]
}

/**
 * Name of the generated contract, and of its file without `.sol`.
 *
 * @example
 * groth16VerifierName('sprites', false) // 'SpritesGroth16Verifier'
 */
export function groth16VerifierName(model: string, insecure: boolean): string {
  return `${solidityIdentifier(model)}${insecure ? 'InsecureDevelopment' : ''}Groth16Verifier`
}

function check(options: GenerateGroth16VerifierOptions): void {
  const { modelId, latentDimensions, verifyingKey } = options
  checkOrigin(options)
  if (!/^0x[0-9a-f]{64}$/.test(modelId))
    throw new PlatemarkError('The model id is malformed.', {
      expected: '0x and 64 lowercase hex digits',
      found: JSON.stringify(modelId).slice(0, 100),
    })
  if (!/^0x[0-9a-f]{64}$/.test(options.verifyingKeyHash))
    throw new PlatemarkError('The verifying key hash is malformed.', {
      expected: '0x and 64 lowercase hex digits',
      found: JSON.stringify(options.verifyingKeyHash).slice(0, 100),
    })
  if (!Number.isInteger(latentDimensions) || latentDimensions < 1 || latentDimensions > 4096)
    throw new PlatemarkError('The number of latent dimensions is out of range.', {
      expected: 'an integer from 1 to 4096',
      found: String(latentDimensions),
    })
  const points = publicInputCount(latentDimensions) + 1
  if (verifyingKey.ic.length !== points)
    throw new PlatemarkError('The verifying key does not fit the model.', {
      expected: `${points} IC points for ${latentDimensions} latent dimensions`,
      found: `${verifyingKey.ic.length}`,
      fix: 'Run `platemark setup` for this model.',
    })
}

/** Image digest, limbs, context. */
function publicInputCount(latentDimensions: number): number {
  return Math.ceil(latentDimensions / 31) + 2
}

function contractSource(contract: string, options: GenerateGroth16VerifierOptions): string {
  const words = groth16KeyWords(options.verifyingKey)
  const count = publicInputCount(options.latentDimensions)
  return `/// @title Groth16 verifier of the model ${solidityIdentifier(options.name)}
/// @notice Verifies that the model with id MODEL_ID generates a given image from a given seed.
${setupComment(options)}
contract ${contract} is Groth16ImageVerifier {
    /// @notice Version of the toolkit that wrote this contract.
    string public constant VERSION = "platemark ${solidityComment(options.toolVersion)}";

    /// @notice The model whose images this contract verifies.
    bytes32 public constant MODEL_ID =
        ${options.modelId};

    /// @notice keccak256 of the verifying key; \`verifyingKeyHash()\` computes it anew.
    bytes32 public constant VERIFYING_KEY_HASH =
        ${options.verifyingKeyHash};

    /// @notice Number of latent dimensions, one byte each.
    uint256 public constant LATENT_DIMENSIONS = ${options.latentDimensions};

    /// @notice Whether whoever made the key can forge proofs.
    bool public constant INSECURE_SETUP = ${options.insecure};

${words.map(keyConstant).join('\n')}

    /// @inheritdoc IImageVerifier
    function modelId() external pure returns (bytes32 id) {
        return MODEL_ID;
    }

    /// @notice Plain Groth16 verification with the arguments that circom's tools use.
    /// @dev Prefer \`verifyImage\`: it leaves no public input to the caller.
    /// @param a Point A.
    /// @param b Point B, imaginary parts first.
    /// @param c Point C.
    /// @param publicInputs Image digest, limbs of the latent bytes, context shifted right by 3 bits.
    /// @return valid Whether the proof holds; false also for values out of range.
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[${count}] calldata publicInputs
    ) external view returns (bool valid) {
        uint256[] memory inputs = new uint256[](${count});
        for (uint256 i = 0; i < ${count}; ++i) {
            inputs[i] = publicInputs[i];
        }
        return _isValid(inputs, [a[0], a[1], b[0][0], b[0][1], b[1][0], b[1][1], c[0], c[1]]);
    }
${chainGuard('Groth16ImageVerifier', options)}
    /// @inheritdoc Groth16ImageVerifier
    function _latentDimensions() internal pure override returns (uint256) {
        return LATENT_DIMENSIONS;
    }

    /// @inheritdoc Groth16ImageVerifier
    function _verifyingKey() internal pure override returns (uint256[] memory key) {
        key = new uint256[](${words.length});
        assembly ("memory-safe") {
${words.map(({ name }, i) => `            mstore(add(key, ${32 * (i + 1)}), ${name})`).join('\n')}
        }
    }
}`
}

function keyConstant({ name, value }: KeyWord): string {
  return `    uint256 private constant ${name} =
        ${value};`
}
