// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IImageVerifier} from "./IImageVerifier.sol";
import {SeedExpansion} from "./SeedExpansion.sol";

/// @title Verifier of the statement of one model behind ezkl's Halo2 verifier
/// @notice What every generated adapter inherits; the generated contract adds the model's constants and
/// the code of the contract that ezkl wrote for its key.
/// @dev The public instance, in order: the latent bytes (which this contract computes from the seed),
/// the context shifted right by 3 bits to fit into the field, the pixels. The Halo2 verifier hashes it
/// into its challenges, so a proof holds for one seed, one context and one image. It is deployed by the
/// constructor, because its assembly uses all memory and cannot be a part of another contract.
abstract contract EzklImageVerifier is IImageVerifier {
    /// @notice ERC-7992 id of the proof system.
    bytes4 public constant PROOF_SYSTEM = bytes4(keccak256("ezkl-halo2-bn254-v1"));

    /// @notice The contract that ezkl wrote; its code is checked at every call.
    address public immutable HALO2_VERIFIER;

    /// @dev `verifyProof(bytes,uint256[])`.
    bytes4 private constant VERIFY_PROOF = bytes4(keccak256("verifyProof(bytes,uint256[])"));

    /// @notice `image` does not have one byte a sample.
    error ImageLengthInvalid(uint256 length, uint256 expected);
    /// @notice The proof does not have the one length a proof has.
    error ProofLengthInvalid(uint256 length, uint256 expected);
    /// @notice The code of the Halo2 verifier is not the one that this contract was made with.
    error Halo2VerifierInvalid(bytes32 codeHash, bytes32 expected);
    /// @notice The verifying key is from a development setup: whoever made it can forge proofs.
    error InsecureSetup(uint256 chainId);

    /// @param creationCode Creation code of the Halo2 verifier.
    constructor(bytes memory creationCode) {
        address deployed;
        assembly ("memory-safe") {
            deployed := create(0, add(creationCode, 32), mload(creationCode))
        }
        HALO2_VERIFIER = deployed;
        _requireCode(deployed);
    }

    /// @inheritdoc IImageVerifier
    function proofSystem() external pure returns (bytes4 id) {
        return PROOF_SYSTEM;
    }

    /// @inheritdoc IImageVerifier
    /// @param image The pixels, row-major height × width × channels; their keccak256 is returned.
    /// @dev Reverts with `ImageLengthInvalid`, `ProofLengthInvalid`, `ProofInvalid`, `InsufficientGas`,
    /// `Halo2VerifierInvalid` or `InsecureSetup`.
    function verifyImage(uint256 seed, bytes calldata image, bytes32 context, bytes calldata proof)
        external
        view
        returns (bytes32 imageHash)
    {
        _requireUsableChain();
        _requireCode(HALO2_VERIFIER);
        if (image.length != _pixelCount()) revert ImageLengthInvalid(image.length, _pixelCount());
        if (proof.length != _proofLength()) {
            revert ProofLengthInvalid(proof.length, _proofLength());
        }
        bytes memory request = _encodeCall(seed, image, context, proof);
        // Of a proof that fails in a precompile nothing is left, so the gas is looked at before.
        if (gasleft() < _requiredGas()) revert InsufficientGas(gasleft());
        (bool success, bytes memory answer) = HALO2_VERIFIER.staticcall(request);
        if (!success || answer.length != 32 || abi.decode(answer, (uint256)) != 1) {
            revert ProofInvalid();
        }
        imageHash = keccak256(image);
    }

    /// @dev Arguments of `verifyProof` in the one layout that ezkl's contract reads: the proof first,
    /// padded to whole words, then the instance. Written in place, as images are large.
    function _encodeCall(uint256 seed, bytes calldata image, bytes32 context, bytes calldata proof)
        private
        pure
        returns (bytes memory request)
    {
        uint256 dimensions = _latentDimensions();
        uint256 count = dimensions + 1 + image.length;
        uint256 padded = (proof.length + 31) & ~uint256(31);
        request = new bytes(4 + 32 * 4 + padded + 32 * count);
        bytes4 selector = VERIFY_PROOF;
        uint256 instance;
        assembly ("memory-safe") {
            mstore(add(request, 32), selector)
            mstore(add(request, 36), 64)
            mstore(add(request, 68), add(96, padded))
            mstore(add(request, 100), proof.length)
            calldatacopy(add(request, 132), proof.offset, proof.length)
            mstore(add(add(request, 132), padded), count)
            instance := add(add(request, 164), padded)
        }
        for (uint256 done = 0; done < dimensions; done += SeedExpansion.LIMB_BYTES) {
            uint256 limb = SeedExpansion.limb(seed, dimensions, done / SeedExpansion.LIMB_BYTES);
            uint256 size = dimensions - done;
            if (size > SeedExpansion.LIMB_BYTES) size = SeedExpansion.LIMB_BYTES;
            assembly ("memory-safe") {
                for { let shift := mul(8, size) } shift {} {
                    shift := sub(shift, 8)
                    mstore(instance, and(shr(shift, limb), 0xff))
                    instance := add(instance, 32)
                }
            }
        }
        assembly ("memory-safe") {
            mstore(instance, shr(3, context))
            let end := add(image.offset, image.length)
            for { let sample := image.offset } lt(sample, end) { sample := add(sample, 1) } {
                instance := add(instance, 32)
                mstore(instance, shr(248, calldataload(sample)))
            }
        }
    }

    /// @dev Reverts unless the contract has the code that ezkl wrote.
    function _requireCode(address halo2Verifier) private view {
        bytes32 codeHash = halo2Verifier.codehash;
        if (codeHash != _halo2CodeHash()) revert Halo2VerifierInvalid(codeHash, _halo2CodeHash());
    }

    /// @dev Reverts with `InsecureSetup` where the key must not be trusted.
    function _requireUsableChain() internal view virtual {}

    /// @dev Number of latent dimensions of the model.
    function _latentDimensions() internal pure virtual returns (uint256);

    /// @dev Number of samples of an image.
    function _pixelCount() internal pure virtual returns (uint256);

    /// @dev Length of a proof.
    function _proofLength() internal pure virtual returns (uint256);

    /// @dev keccak256 of the Halo2 verifier's code on chain.
    function _halo2CodeHash() internal pure virtual returns (bytes32);

    /// @dev Gas with which the Halo2 verifier always comes to an end.
    function _requiredGas() internal pure virtual returns (uint256);
}
