// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IImageVerifier} from "./IImageVerifier.sol";
import {ISumcheckVerifier} from "./ISumcheckVerifier.sol";

/// @title Sumcheck verifier of the statement of one model
/// @notice What every generated verifier inherits; the generated contract adds the model's key.
/// @dev The work is done by an engine that all models share. It has no state and no owner, and its code is
/// compared with the code that the generator knows, so nobody can put another in its place.
abstract contract SumcheckImageVerifier is IImageVerifier {
    /// @notice ERC-7992 id of the proof system.
    bytes4 public constant PROOF_SYSTEM = bytes4(keccak256("sumcheck-bn254-v2"));

    /// @notice What verifies the proofs.
    ISumcheckVerifier public immutable ENGINE;

    /// @notice The engine does not have the code that this verifier was written for.
    error EngineUnexpected(bytes32 codeHash, bytes32 expected);
    /// @notice The verifying key is from a development setup: whoever made it can forge proofs.
    error InsecureSetup(uint256 chainId);

    /// @param engine A deployed `SumcheckVerifier`, compiled with the settings of the toolkit.
    constructor(ISumcheckVerifier engine) {
        bytes32 codeHash = address(engine).codehash;
        if (codeHash != _engineCodeHash()) revert EngineUnexpected(codeHash, _engineCodeHash());
        ENGINE = engine;
    }

    /// @inheritdoc IImageVerifier
    function proofSystem() external pure returns (bytes4 id) {
        return PROOF_SYSTEM;
    }

    /// @inheritdoc IImageVerifier
    /// @dev Reverts with the reasons of `SumcheckVerifier.verify`, `InsufficientGas` or `InsecureSetup`.
    function verifyImage(uint256 seed, bytes calldata image, bytes32 context, bytes calldata proof)
        external
        view
        virtual
        returns (bytes32 imageHash)
    {
        _requireUsableChain();
        try ENGINE.verify(_key(), seed, "", image, context, proof) returns (bytes32 hash) {
            return hash;
        } catch (bytes memory reason) {
            _refuse(reason);
        }
    }

    /// @dev Reverts as the engine did.
    function _refuse(bytes memory reason) internal view {
        // The engine gives a reason for every verdict. Without one it ran out of gas.
        if (reason.length == 0) revert InsufficientGas(gasleft());
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    /// @dev Reverts with `InsecureSetup` where the key must not be trusted.
    function _requireUsableChain() internal view virtual {}

    /// @dev keccak256 of the engine's code on chain.
    function _engineCodeHash() internal pure virtual returns (bytes32);

    /// @dev The key as `SumcheckKey` describes it.
    function _key() internal pure virtual returns (bytes memory);
}
