// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConditionedVerifier} from "platemark/IConditionedVerifier.sol";

/// @title A verifier of a model with one label of 10 classes, whose proofs anybody can make
/// @dev The image is its pixels, any number of them; proofs are bound to seed, label, pixels and context.
contract MockConditionedVerifier is IConditionedVerifier {
    bytes32 public constant modelId = keccak256("model with a label");

    uint256 private constant CLASSES = 10;

    error ConditionsLengthInvalid(uint256 length, uint256 expected);
    error LabelInvalid(uint256 label, uint256 classes);

    function proofSystem() external pure returns (bytes4) {
        return bytes4(keccak256("sumcheck-bn254-v2"));
    }

    function verifyingKeyHash() external pure returns (bytes32) {
        return keccak256("key");
    }

    function verifyImage(uint256, bytes calldata, bytes32, bytes calldata)
        external
        pure
        returns (bytes32)
    {
        revert ConditionsRequired();
    }

    function verifyConditionedImage(
        uint256 seed,
        bytes calldata conditions,
        bytes calldata image,
        bytes32 context,
        bytes calldata proof
    ) external pure returns (bytes32 imageHash) {
        if (conditions.length != 2) {
            revert ConditionsLengthInvalid(conditions.length, 2);
        }
        uint256 label = uint16(bytes2(conditions));
        if (label >= CLASSES) revert LabelInvalid(label, CLASSES);
        imageHash = keccak256(image);
        if (keccak256(proof) != keccak256(prove(seed, conditions, imageHash, context))) {
            revert ProofInvalid();
        }
    }

    function prove(uint256 seed, bytes memory conditions, bytes32 imageHash, bytes32 context)
        public
        pure
        returns (bytes memory proof)
    {
        return abi.encode(seed, conditions, imageHash, context);
    }
}
