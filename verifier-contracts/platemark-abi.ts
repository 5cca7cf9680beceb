import { parseAbi } from 'viem'

/**
 * The ABIs of the contracts in `src/`, as far as the toolkit calls them. `platemark-abi.test.ts` checks
 * every item against what the compiler says.
 */
export const verifierAbi = parseAbi([
  'function modelId() view returns (bytes32)',
  'function proofSystem() view returns (bytes4)',
  'function verifyingKeyHash() view returns (bytes32)',
  'function verifyImage(uint256 seed, bytes image, bytes32 context, bytes proof) view returns (bytes32)',
  'error ProofInvalid()',
  'error InsufficientGas(uint256 available)',
  'error PublicInputNotCanonical(uint256 index, uint256 value)',
  'error CoordinateNotCanonical(uint256 index, uint256 value)',
  'error PointNotOnCurve(uint256 point)',
  'error ImageLengthInvalid(uint256 length, uint256 expected)',
  'error ProofLengthInvalid(uint256 length, uint256 expected)',
  'error InsecureSetup(uint256 chainId)',
])

/** What verifiers of models with conditions have besides {@link verifierAbi}. */
export const conditionedVerifierAbi = parseAbi([
  'function verifyConditionedImage(uint256 seed, bytes conditions, bytes image, bytes32 context, bytes proof) view returns (bytes32)',
  'error ConditionsRequired()',
])

/** What every generated verifier has besides {@link verifierAbi}. */
export const generatedVerifierAbi = parseAbi([
  'function INSECURE_SETUP() view returns (bool)',
  'function VERSION() view returns (string)',
])

/** What verifiers have that run on an engine. */
export const engineVerifierAbi = parseAbi(['function ENGINE() view returns (address)'])

/** How the sumcheck engine refuses, besides the errors in {@link verifierAbi}. */
export const engineAbi = parseAbi([
  'error ClaimMismatch()',
  'error OpeningInvalid()',
  'error InverseInvalid()',
  'error ScalarNotCanonical(uint256 offset, uint256 value)',
  'error ImageHashMismatch(bytes32 hash, bytes32 expected)',
  'error ConditionsLengthInvalid(uint256 length, uint256 expected)',
  'error LabelInvalid(uint256 condition, uint256 label, uint256 classes)',
])

export const registryAbi = parseAbi([
  'struct ModelCommitment { bytes32 modelHash; bytes32 circuitHash; bytes32 vkHash; bytes4 proofSystemId; string uri; }',
  'function registerModel(ModelCommitment commitment, address verifier) returns (uint256 modelId)',
  'function deprecateModel(uint256 modelId)',
  'function getModel(uint256 modelId) view returns (ModelCommitment commitment, bool deprecated, address owner)',
  'function verifierOf(uint256 modelId) view returns (address verifier, bool deprecated)',
  'event ModelRegistered(uint256 indexed modelId, address indexed owner, ModelCommitment commitment)',
  'error ModelNotFound(uint256 modelId)',
  'error NotModelOwner(uint256 modelId, address caller)',
  'error ModelIsDeprecated(uint256 modelId)',
  'error ModelAlreadyRegistered(uint256 modelId)',
  'error VerifierHasNoCode(address verifier)',
  'error ModelHashMismatch(bytes32 committed, bytes32 verifiers)',
  'error VerifyingKeyHashMismatch(bytes32 committed, bytes32 verifiers)',
  'error ProofSystemMismatch(bytes4 committed, bytes4 verifiers)',
])

export const collectionAbi = parseAbi([
  'struct Options { string name; string symbol; string description; string imageBaseUri; address owner; address royaltyReceiver; uint96 royaltyBasisPoints; }',
  'struct ImageStatement { bytes32 modelId; uint256 seed; bytes32 imageHash; }',
  'constructor(address registry, Options options, uint256[] registryIds)',
  'function mint(address recipient, bytes32 modelId, uint256 seed, bytes image, bytes proof) returns (uint256 id)',
  'function mintAndKeepPixels(address recipient, bytes32 modelId, uint256 seed, bytes pixels, bytes proof) returns (uint256 id)',
  'function mintConditioned(address recipient, bytes32 modelId, uint256 seed, bytes conditions, bytes image, bytes proof, bool keep) returns (uint256 id)',
  'function keepPixels(uint256 id, bytes pixels)',
  'struct Picture { address pointer; uint16 height; uint16 width; uint8 channels; }',
  'function pixelsOf(uint256 id) view returns (bytes pixels, Picture picture)',
  'function REGISTRY() view returns (address)',
  'function name() view returns (string)',
  'function ownerOf(uint256 tokenId) view returns (address)',
  'function tokenURI(uint256 id) view returns (string)',
  'function statementOf(uint256 id) view returns (ImageStatement)',
  'function conditionsOf(uint256 id) view returns (bytes)',
  'function registryIdOf(bytes32 modelId) view returns (uint256)',
  'function contextOf(address recipient, bytes32 modelId) view returns (bytes32)',
  'event ImageMinted(uint256 indexed tokenId, bytes32 indexed modelId, address indexed recipient, uint256 seed, bytes32 imageHash)',
  'event ConditionsGiven(uint256 indexed tokenId, bytes conditions)',
  'event PixelsKept(uint256 indexed tokenId, address pointer)',
  'error ModelNotAdmitted(bytes32 modelId)',
  'error ModelAlreadyAdmitted(bytes32 modelId, uint256 registryId)',
  'error ModelHasNoVerifier(uint256 registryId)',
  'error ModelDeprecated(bytes32 modelId, uint256 registryId)',
  'error AlreadyMinted(uint256 tokenId)',
  'error PixelsNotComparable(address verifier)',
  'error PixelsNotProven(bytes32 imageHash, bytes32 pixelsHash)',
  'error PixelsTooLarge(uint256 size, uint256 limit)',
  'error PixelsAlreadyKept(address pointer)',
  'error ImageSizeInvalid(uint256 height, uint256 width, uint256 channels, uint256 samples)',
  'error ERC721NonexistentToken(uint256 tokenId)',
  'error ERC721InvalidReceiver(address receiver)',
  'error ERC2981InvalidDefaultRoyalty(uint256 numerator, uint256 denominator)',
  'error OwnableInvalidOwner(address owner)',
])

/** Errors that reach a caller of the collection from the contracts behind it, for decoding. */
export const collectionAndVerifierAbi = [
  ...collectionAbi,
  ...verifierAbi.filter((item) => item.type === 'error'),
  ...conditionedVerifierAbi.filter((item) => item.type === 'error'),
  ...engineAbi,
  ...registryAbi.filter((item) => item.type === 'error'),
] as const
