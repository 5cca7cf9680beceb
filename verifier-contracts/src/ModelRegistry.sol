// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";
import {IImageVerifier} from "./IImageVerifier.sol";
import {IModelRegistry} from "./IModelRegistry.sol";

/// @title Model registry
/// @notice Anybody may register anything; being registered means nothing by itself. An id is the hash
/// of who registered what with which verifier, so nobody can take the id of another's model, put another
/// verifier behind it or deprecate it, and watching the mempool for registrations gains nothing. Who
/// relies on a model relies on an id, as `PlatemarkNFT` does with the ids its owner admits.
/// @dev No owner, no upgrade. An account that registers a model can do one thing later: deprecate it.
contract ModelRegistry is IModelRegistry, ERC165 {
    /// @dev One slot for what minting reads.
    struct Model {
        IImageVerifier verifier;
        bool deprecated;
        address owner;
        ModelCommitment commitment;
    }

    mapping(uint256 modelId => Model) private _models;

    /// @inheritdoc IModelRegistry
    function registerModel(ModelCommitment calldata commitment) external returns (uint256 modelId) {
        return _register(commitment, IImageVerifier(address(0)));
    }

    /// @inheritdoc IModelRegistry
    function registerModel(ModelCommitment calldata commitment, IImageVerifier verifier)
        external
        returns (uint256 modelId)
    {
        if (address(verifier).code.length == 0) {
            revert VerifierHasNoCode(address(verifier));
        }
        bytes32 modelHash = verifier.modelId();
        if (modelHash != commitment.modelHash) {
            revert ModelHashMismatch(commitment.modelHash, modelHash);
        }
        bytes32 vkHash = verifier.verifyingKeyHash();
        if (vkHash != commitment.vkHash) {
            revert VerifyingKeyHashMismatch(commitment.vkHash, vkHash);
        }
        bytes4 proofSystemId = verifier.proofSystem();
        if (proofSystemId != commitment.proofSystemId) {
            revert ProofSystemMismatch(commitment.proofSystemId, proofSystemId);
        }
        return _register(commitment, verifier);
    }

    /// @inheritdoc IModelRegistry
    function updateModel(uint256 modelId, ModelCommitment calldata) external view {
        _requireOwned(modelId);
        revert CommitmentImmutable(modelId);
    }

    /// @inheritdoc IModelRegistry
    function deprecateModel(uint256 modelId) external {
        Model storage model = _requireOwned(modelId);
        if (model.deprecated) revert ModelIsDeprecated(modelId);
        model.deprecated = true;
        emit ModelDeprecated(modelId);
    }

    /// @inheritdoc IModelRegistry
    function getModel(uint256 modelId)
        external
        view
        returns (ModelCommitment memory commitment, bool deprecated, address owner)
    {
        Model storage model = _requireKnown(modelId);
        return (model.commitment, model.deprecated, model.owner);
    }

    /// @inheritdoc IModelRegistry
    function verifierOf(uint256 modelId)
        external
        view
        returns (IImageVerifier verifier, bool deprecated)
    {
        Model storage model = _models[modelId];
        (verifier, deprecated) = (model.verifier, model.deprecated);
        // Only then can the model be unknown, and only then is the second slot read.
        if (address(verifier) == address(0)) _requireKnown(modelId);
    }

    /// @inheritdoc ERC165
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return
            interfaceId == type(IModelRegistry).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev The id covers every field, so equal ids mean equal models of one owner.
    function _register(ModelCommitment calldata commitment, IImageVerifier verifier)
        private
        returns (uint256 modelId)
    {
        modelId = uint256(keccak256(abi.encode(msg.sender, verifier, commitment)));
        Model storage model = _models[modelId];
        if (model.owner != address(0)) revert ModelAlreadyRegistered(modelId);
        model.verifier = verifier;
        model.owner = msg.sender;
        model.commitment = commitment;
        emit ModelRegistered(modelId, msg.sender, commitment);
    }

    function _requireKnown(uint256 modelId) private view returns (Model storage model) {
        model = _models[modelId];
        if (model.owner == address(0)) revert ModelNotFound(modelId);
    }

    function _requireOwned(uint256 modelId) private view returns (Model storage model) {
        model = _requireKnown(modelId);
        if (model.owner != msg.sender) revert NotModelOwner(modelId, msg.sender);
    }
}
