// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Verifier of the sumcheck protocol, for any key
/// @notice The one contract behind the verifiers of all models.
interface ISumcheckVerifier {
    /// @notice Returns the image hash if the proof holds under the key and reverts with a reason otherwise.
    /// @dev Trusts `key`. It says nothing about which model the key belongs to: callers pass a key that is
    /// in their own code.
    /// @param key The key as `SumcheckKey` describes it.
    /// @param seed The seed, any 256-bit number.
    /// @param conditions What was chosen besides the seed: a label as two bytes, a vector as one byte a
    /// dimension, in the key's order; empty for a key without conditions.
    /// @param image The pixels or the image hash, as the key's binding says.
    /// @param context What the proof is bound to.
    /// @param proof The proof bytes.
    /// @return imageHash keccak256 of the pixels, or the hash of the image's commitment.
    function verify(
        bytes calldata key,
        uint256 seed,
        bytes calldata conditions,
        bytes calldata image,
        bytes32 context,
        bytes calldata proof
    ) external view returns (bytes32 imageHash);
}
