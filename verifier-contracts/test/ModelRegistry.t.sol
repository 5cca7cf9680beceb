// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IImageVerifier} from "platemark/IImageVerifier.sol";
import {IModelRegistry} from "platemark/IModelRegistry.sol";
import {Collection} from "./Collection.sol";

contract ModelRegistryTest is Collection {
    function test_ReturnsWhatWasRegistered() public view {
        (IModelRegistry.ModelCommitment memory found, bool deprecated, address registrant) =
            registry.getModel(registryId);
        assertEq(abi.encode(found), abi.encode(commitment()));
        assertFalse(deprecated);
        assertEq(registrant, owner);
        (IImageVerifier foundVerifier,) = registry.verifierOf(registryId);
        assertEq(address(foundVerifier), address(verifier));
    }

    function test_SelectorsAreThoseOfTheDraft() public view {
        assertEq(
            bytes4(keccak256("registerModel((bytes32,bytes32,bytes32,bytes4,string))")),
            bytes4(0x88e9606f)
        );
        assertEq(registry.getModel.selector, bytes4(0x6d361694));
        assertEq(registry.deprecateModel.selector, bytes4(0xb0453384));
        assertTrue(registry.supportsInterface(type(IModelRegistry).interfaceId));
        assertTrue(registry.supportsInterface(0x01ffc9a7));
        assertFalse(registry.supportsInterface(0xffffffff));
    }

    function test_EmitsModelRegistered() public {
        IModelRegistry.ModelCommitment memory model = commitment();
        uint256 id = uint256(keccak256(abi.encode(alice, verifier, model)));
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelRegistered(id, alice, model);
        vm.prank(alice);
        assertEq(registry.registerModel(model, verifier), id);
    }

    /// @dev A squatter gets an id of their own and power over nothing else.
    function test_SquattingGainsNothing() public {
        Impostor impostor = new Impostor(verifier);
        vm.prank(bob);
        uint256 squatted = registry.registerModel(commitment(), IImageVerifier(address(impostor)));
        assertNotEq(squatted, registryId);
        vm.prank(bob);
        uint256 copied = registry.registerModel(commitment(), verifier);
        assertNotEq(copied, registryId);
        vm.prank(bob);
        registry.deprecateModel(copied);
        (IImageVerifier found, bool deprecated) = registry.verifierOf(registryId);
        assertEq(address(found), address(verifier));
        assertFalse(deprecated);
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.NotModelOwner.selector, registryId, bob)
        );
        vm.prank(bob);
        registry.deprecateModel(registryId);
    }

    function test_RevertWhen_RegisteredTwice() public {
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.ModelAlreadyRegistered.selector, registryId)
        );
        vm.prank(owner);
        registry.registerModel(commitment(), verifier);
    }

    /// @dev Deprecation is for good: registering the same again does not undo it.
    function test_RevertWhen_DeprecatedModelIsRegisteredAgain() public {
        vm.startPrank(owner);
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelDeprecated(registryId);
        registry.deprecateModel(registryId);
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.ModelAlreadyRegistered.selector, registryId)
        );
        registry.registerModel(commitment(), verifier);
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.ModelIsDeprecated.selector, registryId)
        );
        registry.deprecateModel(registryId);
    }

    function test_RevertWhen_CommitmentIsUpdated() public {
        IModelRegistry.ModelCommitment memory model = commitment();
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.CommitmentImmutable.selector, registryId)
        );
        vm.prank(owner);
        registry.updateModel(registryId, model);
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.NotModelOwner.selector, registryId, bob)
        );
        vm.prank(bob);
        registry.updateModel(registryId, model);
    }

    function test_RevertWhen_VerifierDisagreesWithTheCommitment() public {
        IModelRegistry.ModelCommitment memory model = commitment();
        model.modelHash = keccak256("another");
        vm.expectRevert(
            abi.encodeWithSelector(
                IModelRegistry.ModelHashMismatch.selector, model.modelHash, MODEL
            )
        );
        registry.registerModel(model, verifier);
        model = commitment();
        model.vkHash = 0;
        vm.expectRevert(
            abi.encodeWithSelector(
                IModelRegistry.VerifyingKeyHashMismatch.selector,
                bytes32(0),
                verifier.verifyingKeyHash()
            )
        );
        registry.registerModel(model, verifier);
        model = commitment();
        model.proofSystemId = 0x01020304;
        vm.expectRevert(
            abi.encodeWithSelector(
                IModelRegistry.ProofSystemMismatch.selector, bytes4(0x01020304), bytes4(0x0550d137)
            )
        );
        registry.registerModel(model, verifier);
    }

    function test_RevertWhen_VerifierHasNoCode() public {
        IModelRegistry.ModelCommitment memory model = commitment();
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.VerifierHasNoCode.selector, alice));
        registry.registerModel(model, IImageVerifier(alice));
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.VerifierHasNoCode.selector, address(0))
        );
        registry.registerModel(model, IImageVerifier(address(0)));
    }

    function test_ModelWithoutVerifier() public {
        uint256 id = registry.registerModel(commitment());
        (IImageVerifier found, bool deprecated) = registry.verifierOf(id);
        assertEq(address(found), address(0));
        assertFalse(deprecated);
    }

    function testFuzz_RevertWhen_ModelIsUnknown(uint256 id) public {
        vm.assume(id != registryId);
        bytes memory reason = abi.encodeWithSelector(IModelRegistry.ModelNotFound.selector, id);
        vm.expectRevert(reason);
        registry.getModel(id);
        vm.expectRevert(reason);
        registry.verifierOf(id);
        vm.expectRevert(reason);
        registry.deprecateModel(id);
    }
}

/// @dev Says it is the verifier of a model and accepts everything.
contract Impostor {
    IImageVerifier private immutable VERIFIER;

    constructor(IImageVerifier verifier) {
        VERIFIER = verifier;
    }

    function modelId() external view returns (bytes32) {
        return VERIFIER.modelId();
    }

    function proofSystem() external view returns (bytes4) {
        return VERIFIER.proofSystem();
    }

    function verifyingKeyHash() external view returns (bytes32) {
        return VERIFIER.verifyingKeyHash();
    }

    function verifyImage(uint256, bytes calldata image, bytes32, bytes calldata)
        external
        pure
        returns (bytes32)
    {
        return bytes32(image);
    }
}
