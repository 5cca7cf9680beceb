// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ISumcheckVerifier} from "./ISumcheckVerifier.sol";
import {SumcheckClaims} from "./SumcheckClaims.sol";
import {SumcheckConditions} from "./SumcheckConditions.sol";
import {loadModulus} from "./SumcheckField.sol";
import {SumcheckImage} from "./SumcheckImage.sol";
import {SumcheckOpening} from "./SumcheckOpening.sol";
import {Run} from "./SumcheckRun.sol";
import {SumcheckTranscript} from "./SumcheckTranscript.sol";

/// @title Verifier of the sumcheck protocol
/// @notice Verifies proofs of version 2 of `docs/protocol.md` under a key that its caller hands over.
/// @dev No owner, no storage, no upgrade, no immutables: equal code is an equal verifier.
contract SumcheckVerifier is ISumcheckVerifier {
    /// @inheritdoc ISumcheckVerifier
    /// @dev Reverts with `ProofLengthInvalid`, `ImageLengthInvalid`, `ImageHashMismatch`,
    /// `PointNotOnCurve`, `ScalarNotCanonical`, `ClaimMismatch`, `InverseInvalid`, `OpeningInvalid`,
    /// `ConditionsLengthInvalid`, `LabelInvalid`, or `InsufficientGas`, which is no verdict; also without a
    /// reason, for want of gas.
    function verify(
        bytes calldata key,
        uint256 seed,
        bytes calldata conditions,
        bytes calldata image,
        bytes32 context,
        bytes calldata proof
    ) external view returns (bytes32 imageHash) {
        loadModulus();
        Run memory run = SumcheckTranscript.open(key, proof);
        run.seed = seed;
        SumcheckConditions.read(run, key, conditions);
        imageHash = SumcheckImage.hash(run, image);
        SumcheckTranscript.read(run, seed, context, imageHash);
        uint256 imageValue = SumcheckImage.value(run, image);
        SumcheckClaims.prepare(run);
        SumcheckClaims.nodesAndLookups(run);
        SumcheckClaims.image(run, imageValue);
        SumcheckClaims.check(run);
        SumcheckOpening.check(run, imageValue);
    }
}
