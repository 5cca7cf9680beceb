// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConditionedVerifier} from "./IConditionedVerifier.sol";
import {IImageVerifier} from "./IImageVerifier.sol";
import {SumcheckImageVerifier} from "./SumcheckImageVerifier.sol";

/// @title Sumcheck verifier of the statement of one model that takes conditions
/// @notice What generated verifiers of such models inherit.
abstract contract SumcheckConditionedVerifier is SumcheckImageVerifier, IConditionedVerifier {
    /// @inheritdoc IImageVerifier
    /// @dev Always reverts: the model is told more than a seed.
    function verifyImage(uint256, bytes calldata, bytes32, bytes calldata)
        external
        pure
        override(SumcheckImageVerifier, IImageVerifier)
        returns (bytes32)
    {
        revert ConditionsRequired();
    }

    /// @inheritdoc IConditionedVerifier
    /// @dev Reverts with the reasons of `SumcheckVerifier.verify`, `InsufficientGas` or
    /// `InsecureSetup`.
    function verifyConditionedImage(
        uint256 seed,
        bytes calldata conditions,
        bytes calldata image,
        bytes32 context,
        bytes calldata proof
    ) external view returns (bytes32 imageHash) {
        _requireUsableChain();
        try ENGINE.verify(_key(), seed, conditions, image, context, proof) returns (bytes32 hash) {
            return hash;
        } catch (bytes memory reason) {
            _refuse(reason);
        }
    }
}
