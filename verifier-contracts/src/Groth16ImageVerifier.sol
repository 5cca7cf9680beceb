// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Groth16Bn254} from "./Groth16Bn254.sol";
import {IImageVerifier} from "./IImageVerifier.sol";
import {SeedExpansion} from "./SeedExpansion.sol";

/// @title Groth16 verifier of the statement of one model
/// @notice What every generated verifier inherits; the generated contract adds the model's constants.
/// @dev Public inputs of the circuit, in order: the image digest, the limbs of the latent bytes (which
/// this contract computes from the seed), the context shifted right by 3 bits to fit into the field.
abstract contract Groth16ImageVerifier is IImageVerifier {
    /// @notice ERC-7992 id of the proof system.
    bytes4 public constant PROOF_SYSTEM = bytes4(keccak256("groth16-bn254-v1"));

    /// @dev Length of a proof: eight words.
    uint256 private constant PROOF_LENGTH = 256;

    /// @dev Length of an image digest.
    uint256 private constant DIGEST_LENGTH = 32;

    /// @notice `image` is not a 32-byte digest.
    error ImageLengthInvalid(uint256 length, uint256 expected);
    /// @notice The proof does not have the one length a proof has.
    error ProofLengthInvalid(uint256 length, uint256 expected);
    /// @notice The verifying key is from a development setup: whoever made it can forge proofs.
    error InsecureSetup(uint256 chainId);

    /// @inheritdoc IImageVerifier
    function proofSystem() external pure returns (bytes4 id) {
        return PROOF_SYSTEM;
    }

    /// @inheritdoc IImageVerifier
    /// @dev Computed from the words that are used, so it cannot disagree with them.
    function verifyingKeyHash() external pure returns (bytes32 hash) {
        uint256[] memory key = _verifyingKey();
        assembly ("memory-safe") {
            hash := keccak256(add(key, 32), mul(mload(key), 32))
        }
    }

    /// @inheritdoc IImageVerifier
    /// @dev Reverts with `ImageLengthInvalid`, `ProofLengthInvalid`, `PublicInputNotCanonical`,
    /// `CoordinateNotCanonical`, `PointNotOnCurve`, `ProofInvalid`, `InsufficientGas` or `InsecureSetup`.
    function verifyImage(uint256 seed, bytes calldata image, bytes32 context, bytes calldata proof)
        external
        view
        returns (bytes32 imageHash)
    {
        _requireUsableChain();
        if (image.length != DIGEST_LENGTH) revert ImageLengthInvalid(image.length, DIGEST_LENGTH);
        if (proof.length != PROOF_LENGTH) revert ProofLengthInvalid(proof.length, PROOF_LENGTH);
        // Just found to be 32 bytes long.
        // forge-lint: disable-next-line(unsafe-typecast)
        imageHash = bytes32(image);

        uint256 dimensions = _latentDimensions();
        uint256 limbs = SeedExpansion.limbCount(dimensions);
        uint256[] memory inputs = new uint256[](limbs + 2);
        inputs[0] = uint256(imageHash);
        for (uint256 i = 0; i < limbs; ++i) {
            inputs[1 + i] = SeedExpansion.limb(seed, dimensions, i);
        }
        inputs[1 + limbs] = uint256(context) >> 3;
        Groth16Bn254.requireValid(_verifyingKey(), inputs, abi.decode(proof, (uint256[8])));
    }

    /// @notice Plain Groth16 verification for callers that build the public inputs themselves.
    /// @dev Prefer `verifyImage`: it leaves no public input to the caller.
    /// @param proof The 256 proof bytes.
    /// @param publicInputs The public inputs, as many as the circuit has.
    /// @return valid Whether the proof holds; false also for malformed arguments.
    function verify(bytes calldata proof, bytes32[] calldata publicInputs)
        external
        view
        returns (bool valid)
    {
        uint256[] memory inputs = new uint256[](publicInputs.length);
        for (uint256 i = 0; i < inputs.length; ++i) {
            inputs[i] = uint256(publicInputs[i]);
        }
        if (proof.length != PROOF_LENGTH) return false;
        return _isValid(inputs, abi.decode(proof, (uint256[8])));
    }

    /// @dev Whether a proof holds, as a boolean.
    function _isValid(uint256[] memory inputs, uint256[8] memory proof)
        internal
        view
        returns (bool)
    {
        _requireUsableChain();
        if (inputs.length != SeedExpansion.limbCount(_latentDimensions()) + 2) return false;
        (Groth16Bn254.Flaw flaw,) = Groth16Bn254.inspect(_verifyingKey(), inputs, proof);
        return flaw == Groth16Bn254.Flaw.None;
    }

    /// @dev Reverts with `InsecureSetup` where the key must not be trusted.
    function _requireUsableChain() internal view virtual {}

    /// @dev Number of latent dimensions of the model.
    function _latentDimensions() internal pure virtual returns (uint256);

    /// @dev The key's words in the order of `Groth16Bn254`.
    function _verifyingKey() internal pure virtual returns (uint256[] memory);
}
