// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IImageVerifier} from "./IImageVerifier.sol";

/// @title Verifier of a model that is told more than a seed
/// @notice The statement is: the model with id `modelId()` generates, from `seed` and `conditions`, exactly
/// the image that `image` stands for, and the proof was made for `context`.
/// @dev The seed is expanded by the contract and the conditions are chosen: by whom, the proof does not say.
interface IConditionedVerifier is IImageVerifier {
    /// @notice `verifyImage` was called: without conditions this model generates nothing.
    error ConditionsRequired();

    /// @notice Returns the hash of the image if the proof holds and reverts with a reason otherwise.
    /// @param seed The seed, any 256-bit number; the contract expands it to latent values by itself.
    /// @param conditions What was chosen besides the seed: a label as two bytes, big-endian, a vector as one
    /// byte a dimension, in the model's order. There is one spelling of every choice.
    /// @param image What stands for the image, as for `verifyImage`.
    /// @param context What the proof is bound to, as for `verifyImage`.
    /// @param proof The proof bytes.
    /// @return imageHash Hash of the image under the proof system's scheme.
    function verifyConditionedImage(
        uint256 seed,
        bytes calldata conditions,
        bytes calldata image,
        bytes32 context,
        bytes calldata proof
    ) external view returns (bytes32 imageHash);
}
