// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IImageVerifier} from "./IImageVerifier.sol";

/// @title Registry of model commitments, shaped like ERC-7992 (Draft)
/// @notice Functions, events and errors are those of the Draft's registry, with these differences:
/// - The Draft names an event and an error both `ModelDeprecated`, which no compiler accepts. The error
///   here is `ModelIsDeprecated`.
/// - The Draft knows no verifier contract. `registerModel(commitment, verifier)` adds one; the Draft's
///   `registerModel(commitment)` registers a model that no contract can verify.
/// - The Draft leaves the update policy open. Here a commitment never changes: `updateModel` always
///   reverts and a new version is a new model.
interface IModelRegistry {
    /// @notice What a registered model is committed to.
    /// @param modelHash Weights and architecture: the toolkit's model id.
    /// @param circuitHash The circuit.
    /// @param vkHash The verifying key.
    /// @param proofSystemId First four bytes of keccak256 of the proof system's name.
    /// @param uri Optional description off chain.
    struct ModelCommitment {
        bytes32 modelHash;
        bytes32 circuitHash;
        bytes32 vkHash;
        bytes4 proofSystemId;
        string uri;
    }

    /// @notice A model was registered.
    event ModelRegistered(
        uint256 indexed modelId, address indexed owner, ModelCommitment commitment
    );
    /// @notice Part of the Draft; never emitted, as commitments do not change.
    event ModelUpdated(
        uint256 indexed modelId, ModelCommitment oldCommitment, ModelCommitment newCommitment
    );
    /// @notice A model was deprecated, for good.
    event ModelDeprecated(uint256 indexed modelId);

    /// @notice Nobody has registered `modelId`.
    error ModelNotFound(uint256 modelId);
    /// @notice Only the account that registered a model may do this.
    error NotModelOwner(uint256 modelId, address caller);
    /// @notice The model is deprecated already.
    error ModelIsDeprecated(uint256 modelId);
    /// @notice The same account has registered the same commitment and verifier before.
    error ModelAlreadyRegistered(uint256 modelId);
    /// @notice A registered commitment never changes; register a new one.
    error CommitmentImmutable(uint256 modelId);
    /// @notice The verifier address has no code.
    error VerifierHasNoCode(address verifier);
    /// @notice The verifier is for another model.
    error ModelHashMismatch(bytes32 committed, bytes32 verifiers);
    /// @notice The verifier has another verifying key.
    error VerifyingKeyHashMismatch(bytes32 committed, bytes32 verifiers);
    /// @notice The verifier is of another proof system.
    error ProofSystemMismatch(bytes4 committed, bytes4 verifiers);

    /// @notice Registers a model without a verifier contract.
    /// @param commitment The commitment.
    /// @return modelId The registry's id of the model.
    function registerModel(ModelCommitment calldata commitment) external returns (uint256 modelId);

    /// @notice Registers a model with the contract that verifies its images.
    /// @param commitment The commitment; the verifier must agree with it.
    /// @param verifier The verifier; fixed from now on.
    /// @return modelId The registry's id of the model.
    function registerModel(ModelCommitment calldata commitment, IImageVerifier verifier)
        external
        returns (uint256 modelId);

    /// @notice Always reverts with `CommitmentImmutable`.
    /// @param modelId The registry's id of a model.
    /// @param newCommitment Not used.
    function updateModel(uint256 modelId, ModelCommitment calldata newCommitment) external;

    /// @notice Marks a model as no longer to be used for anything new. Cannot be undone.
    /// @param modelId The registry's id of a model.
    function deprecateModel(uint256 modelId) external;

    /// @notice A model's commitment, status and owner.
    /// @param modelId The registry's id of a model.
    /// @return commitment The commitment.
    /// @return deprecated Whether the model is deprecated.
    /// @return owner The account that registered it.
    function getModel(uint256 modelId)
        external
        view
        returns (ModelCommitment memory commitment, bool deprecated, address owner);

    /// @notice What a contract needs that accepts proofs about a model.
    /// @param modelId The registry's id of a model.
    /// @return verifier The verifier contract; the zero address if the model was registered without.
    /// @return deprecated Whether the model is deprecated.
    function verifierOf(uint256 modelId)
        external
        view
        returns (IImageVerifier verifier, bool deprecated);
}
