// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {Groth16Bn254} from "platemark/Groth16Bn254.sol";
import {Groth16ImageVerifier} from "platemark/Groth16ImageVerifier.sol";
import {IERC7007} from "platemark/IERC7007.sol";
import {IImageVerifier} from "platemark/IImageVerifier.sol";
import {IModelRegistry} from "platemark/IModelRegistry.sol";
import {PlatemarkNFT} from "platemark/PlatemarkNFT.sol";
import {Collection} from "./Collection.sol";

contract PlatemarkNFTTest is Collection {
    function test_MintsToTheRecipientWhoeverSends() public {
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        bytes memory image = abi.encodePacked(DIGEST);
        uint256 id = tokenOf(SEED);
        vm.expectEmit(address(nft));
        emit IERC721.Transfer(address(0), alice, id);
        vm.expectEmit(address(nft));
        emit PlatemarkNFT.ImageMinted(id, MODEL, alice, SEED, DIGEST);
        vm.expectEmit(address(nft));
        emit IERC7007.AigcData(id, promptOf(SEED), image, abi.encodePacked(alice, proof));
        vm.prank(bob);
        assertEq(nft.mint(alice, MODEL, SEED, image, proof), id);
        assertEq(nft.ownerOf(id), alice);
        assertEq(nft.totalSupply(), 1);
        PlatemarkNFT.ImageStatement memory statement = nft.statementOf(id);
        assertEq(statement.modelId, MODEL);
        assertEq(statement.seed, SEED);
        assertEq(statement.imageHash, DIGEST);
    }

    function testFuzz_MintsAnyStatement(uint256 seed, uint256 digest, address recipient) public {
        vm.assume(recipient != address(0) && recipient.code.length == 0);
        digest = bound(digest, 0, Groth16Bn254.SCALAR_MODULUS - 1);
        bytes memory proof = proofFor(recipient, seed, bytes32(digest));
        uint256 id = nft.mint(recipient, MODEL, seed, abi.encodePacked(digest), proof);
        assertEq(id, tokenOf(seed));
        assertEq(nft.ownerOf(id), recipient);
        assertEq(uint256(nft.statementOf(id).imageHash), digest);
    }

    function test_RevertWhen_RecipientIsAnother() public {
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        vm.prank(bob);
        nft.mint(bob, MODEL, SEED, abi.encodePacked(DIGEST), proof);
    }

    function test_RevertWhen_ChainIsAnother() public {
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        vm.chainId(1);
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        nft.mint(alice, MODEL, SEED, abi.encodePacked(DIGEST), proof);
    }

    function test_RevertWhen_ContractIsAnother() public {
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        PlatemarkNFT other = newCollection();
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        other.mint(alice, MODEL, SEED, abi.encodePacked(DIGEST), proof);
    }

    function test_RevertWhen_SeedOrImageIsAnother() public {
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        nft.mint(alice, MODEL, SEED + 1, abi.encodePacked(DIGEST), proof);
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        nft.mint(alice, MODEL, SEED, abi.encodePacked(bytes32(uint256(1))), proof);
    }

    function test_RevertWhen_ModelIsNotAdmitted() public {
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        bytes32 other = keccak256("another model");
        vm.expectRevert(abi.encodeWithSelector(PlatemarkNFT.ModelNotAdmitted.selector, other));
        nft.mint(alice, other, SEED, abi.encodePacked(DIGEST), proof);
    }

    /// @dev The model is in the context too: another model with the same key does not take the proof.
    function test_RevertWhen_ProofIsForAnotherModelWithTheSameKey() public {
        Renamed renamed = new Renamed(verifier);
        IModelRegistry.ModelCommitment memory model = commitment();
        model.modelHash = renamed.modelId();
        uint256 id = registry.registerModel(model, IImageVerifier(address(renamed)));
        vm.prank(owner);
        nft.admitModel(id);
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        nft.mint(alice, model.modelHash, SEED, abi.encodePacked(DIGEST), proof);
        nft.mint(alice, MODEL, SEED, abi.encodePacked(DIGEST), proof);
    }

    function test_RevertWhen_StatementIsReplayed() public {
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        bytes memory image = abi.encodePacked(DIGEST);
        uint256 id = nft.mint(alice, MODEL, SEED, image, proof);
        bytes memory reason = abi.encodeWithSelector(PlatemarkNFT.AlreadyMinted.selector, id);
        vm.expectRevert(reason);
        nft.mint(alice, MODEL, SEED, image, proof);
        proof = proofFor(bob, SEED, DIGEST);
        vm.expectRevert(reason);
        nft.mint(bob, MODEL, SEED, image, proof);
        vm.prank(alice);
        nft.transferFrom(alice, bob, id);
        vm.expectRevert(reason);
        nft.mint(bob, MODEL, SEED, image, proof);
        assertEq(nft.totalSupply(), 1);
    }

    function test_RevertWhen_ProofOrImageHasAnotherLength() public {
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        vm.expectRevert(
            abi.encodeWithSelector(Groth16ImageVerifier.ProofLengthInvalid.selector, 0, 256)
        );
        nft.mint(alice, MODEL, SEED, abi.encodePacked(DIGEST), "");
        vm.expectRevert(
            abi.encodeWithSelector(Groth16ImageVerifier.ProofLengthInvalid.selector, 257, 256)
        );
        nft.mint(alice, MODEL, SEED, abi.encodePacked(DIGEST), abi.encodePacked(proof, hex"00"));
        vm.expectRevert(
            abi.encodeWithSelector(Groth16ImageVerifier.ImageLengthInvalid.selector, 33, 32)
        );
        nft.mint(alice, MODEL, SEED, abi.encodePacked(DIGEST, hex"00"), proof);
    }

    function test_RevertWhen_RecipientIsZero() public {
        bytes memory proof = proofFor(address(0), SEED, DIGEST);
        vm.expectRevert(
            abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, address(0))
        );
        nft.mint(address(0), MODEL, SEED, abi.encodePacked(DIGEST), proof);
    }

    function test_RevertWhen_RecipientCannotHoldTokens() public {
        address recipient = address(verifier);
        bytes memory proof = proofFor(recipient, SEED, DIGEST);
        vm.expectRevert(
            abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, recipient)
        );
        nft.mint(recipient, MODEL, SEED, abi.encodePacked(DIGEST), proof);
        assertEq(nft.totalSupply(), 0);
    }

    /// @dev From the callback the token is finished: minting it again fails, minting another works.
    function test_ReentrantReceiverFindsAFinishedToken() public {
        ReentrantReceiver receiver = new ReentrantReceiver();
        bytes memory image = abi.encodePacked(DIGEST);
        bytes memory first = proofFor(address(receiver), 1, DIGEST);
        bytes memory second = proofFor(address(receiver), 2, DIGEST);
        receiver.arm(
            nft,
            abi.encodeCall(nft.mint, (address(receiver), MODEL, 1, image, first)),
            abi.encodeCall(nft.mint, (address(receiver), MODEL, 2, image, second))
        );
        nft.mint(address(receiver), MODEL, 1, image, first);
        assertEq(
            receiver.refusal(),
            abi.encodeWithSelector(PlatemarkNFT.AlreadyMinted.selector, tokenOf(1))
        );
        assertEq(nft.totalSupply(), 2);
        assertEq(nft.balanceOf(address(receiver)), 2);
        assertEq(nft.statementOf(tokenOf(1)).imageHash, DIGEST);
    }

    function test_DeprecatedModelKeepsItsTokensAndMintsNoMore() public {
        uint256 id = mintTo(alice, SEED);
        vm.prank(owner);
        registry.deprecateModel(registryId);
        bytes memory proof = proofFor(alice, SEED + 1, DIGEST);
        vm.expectRevert(
            abi.encodeWithSelector(PlatemarkNFT.ModelDeprecated.selector, MODEL, registryId)
        );
        nft.mint(alice, MODEL, SEED + 1, abi.encodePacked(DIGEST), proof);
        assertEq(nft.ownerOf(id), alice);
        assertTrue(bytes(nft.tokenURI(id)).length > 0);
        assertTrue(
            nft.verify(
                promptOf(SEED),
                abi.encodePacked(DIGEST),
                abi.encodePacked(alice, proofFor(alice, SEED, DIGEST))
            )
        );
    }

    function test_OnlyTheOwnerAdmitsModels() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, bob));
        vm.prank(bob);
        nft.admitModel(registryId);
    }

    /// @dev Nobody, the owner included, can put another verifier behind an admitted model.
    function test_RevertWhen_AdmittedModelIsReplaced() public {
        vm.prank(bob);
        uint256 twin = registry.registerModel(commitment(), verifier);
        vm.expectRevert(
            abi.encodeWithSelector(PlatemarkNFT.ModelAlreadyAdmitted.selector, MODEL, registryId)
        );
        vm.prank(owner);
        nft.admitModel(twin);
    }

    function test_RevertWhen_UnusableModelsAreAdmitted() public {
        uint256 bare = registry.registerModel(commitment());
        uint256 deprecated = registry.registerModel(commitment(), verifier);
        registry.deprecateModel(deprecated);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(PlatemarkNFT.ModelHasNoVerifier.selector, bare));
        nft.admitModel(bare);
        vm.expectRevert(
            abi.encodeWithSelector(PlatemarkNFT.ModelDeprecated.selector, MODEL, deprecated)
        );
        nft.admitModel(deprecated);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelNotFound.selector, 1));
        nft.admitModel(1);
    }

    function test_Royalties() public {
        (address receiver, uint256 amount) = nft.royaltyInfo(tokenOf(SEED), 10_000);
        assertEq(receiver, owner);
        assertEq(amount, 500);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, bob));
        vm.prank(bob);
        nft.setRoyalty(bob, 10_000);
        vm.startPrank(owner);
        nft.setRoyalty(alice, 250);
        (receiver, amount) = nft.royaltyInfo(tokenOf(SEED), 10_000);
        assertEq(receiver, alice);
        assertEq(amount, 250);
        nft.setRoyalty(address(0), 0);
        (receiver, amount) = nft.royaltyInfo(tokenOf(SEED), 10_000);
        assertEq(amount, 0);
    }

    function test_OwnershipMovesInTwoSteps() public {
        vm.prank(owner);
        nft.transferOwnership(alice);
        assertEq(nft.owner(), owner);
        vm.prank(alice);
        nft.acceptOwnership();
        assertEq(nft.owner(), alice);
    }

    function test_RevertWhen_TokenDoesNotExist() public {
        bytes memory reason =
            abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 7);
        vm.expectRevert(reason);
        nft.tokenURI(7);
        vm.expectRevert(reason);
        nft.statementOf(7);
        vm.expectRevert(reason);
        nft.prompt(7);
    }

    function test_InterfaceIds() public view {
        bytes4[8] memory supported = [
            bytes4(0x01ffc9a7),
            0x80ac58cd,
            0x5b5e139f,
            0x2a55205a,
            0x49064906,
            0x702c55a6,
            0xfa1a557a,
            type(IERC7007).interfaceId
        ];
        for (uint256 i = 0; i < supported.length; ++i) {
            assertTrue(nft.supportsInterface(supported[i]));
        }
        // Draft ERC-7007, the updatable extension, and the id that means nothing.
        bytes4[3] memory others = [bytes4(0x7e52e423), 0x3f37dce2, 0xffffffff];
        for (uint256 i = 0; i < others.length; ++i) {
            assertFalse(nft.supportsInterface(others[i]));
        }
    }
}

/// @dev The verifier of one model under the name of another.
contract Renamed {
    IImageVerifier private immutable VERIFIER;

    constructor(IImageVerifier verifier) {
        VERIFIER = verifier;
    }

    function modelId() external pure returns (bytes32) {
        return keccak256("renamed");
    }

    function proofSystem() external view returns (bytes4) {
        return VERIFIER.proofSystem();
    }

    function verifyingKeyHash() external view returns (bytes32) {
        return VERIFIER.verifyingKeyHash();
    }

    function verifyImage(uint256 seed, bytes calldata image, bytes32 context, bytes calldata proof)
        external
        view
        returns (bytes32)
    {
        return VERIFIER.verifyImage(seed, image, context, proof);
    }
}

/// @dev Calls back into the collection when it receives a token.
contract ReentrantReceiver is IERC721Receiver {
    PlatemarkNFT private nft;
    bytes private again;
    bytes private another;
    bytes public refusal;
    bool private entered;

    function arm(PlatemarkNFT nft_, bytes calldata again_, bytes calldata another_) external {
        (nft, again, another) = (nft_, again_, another_);
    }

    function onERC721Received(address, address, uint256 id, bytes calldata)
        external
        returns (bytes4)
    {
        if (!entered) {
            entered = true;
            require(nft.ownerOf(id) == address(this) && nft.totalSupply() == 1, "unfinished");
            bool success;
            (success, refusal) = address(nft).call(again);
            require(!success, "minted twice");
            (success,) = address(nft).call(another);
            require(success, "another seed");
        }
        return this.onERC721Received.selector;
    }
}
