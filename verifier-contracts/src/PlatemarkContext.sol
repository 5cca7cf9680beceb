// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title What a proof is bound to
/// @notice A proof names who may use it and where, so a copy of it from the mempool is worthless to
/// anyone else. The contract that accepts the proof must compute the context itself.
library PlatemarkContext {
    /// @dev The same as `CONTEXT_DOMAIN` in `prover/statement.ts`.
    bytes32 internal constant CONTEXT_DOMAIN = keccak256("platemark.context.v1");

    /// @notice The context of a proof made for the calling contract on this chain.
    /// @param recipient Who receives what the proof pays for.
    /// @param modelId The model the proof is about.
    /// @return hash keccak256(abi.encode(CONTEXT_DOMAIN, chain id, this contract, recipient, modelId))
    function contextHash(address recipient, bytes32 modelId) internal view returns (bytes32 hash) {
        return
            keccak256(abi.encode(CONTEXT_DOMAIN, block.chainid, address(this), recipient, modelId));
    }
}
