// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {IImageVerifier} from "platemark/IImageVerifier.sol";
import {IModelRegistry} from "platemark/IModelRegistry.sol";
import {ModelRegistry} from "platemark/ModelRegistry.sol";
import {PlatemarkContext} from "platemark/PlatemarkContext.sol";
import {PlatemarkNFT} from "platemark/PlatemarkNFT.sol";
import {KnownKeyProver} from "./KnownKeyProver.sol";
import {KnownKey} from "./generated/KnownKey.sol";
import {KnownToxicWasteGroth16Verifier} from "./generated/KnownToxicWasteGroth16Verifier.sol";

/// @title A collection with one model whose proofs the test can make
abstract contract Collection is Test {
    bytes32 internal constant MODEL = KnownKey.MODEL_ID;
    bytes32 internal constant DIGEST = bytes32(uint256(0xd16e57));
    uint256 internal constant SEED = 42;

    address internal owner = makeAddr("owner");
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");

    IImageVerifier internal verifier;
    ModelRegistry internal registry;
    uint256 internal registryId;
    PlatemarkNFT internal nft;
    IModelRegistry.ModelCommitment private _commitment;

    function setUp() public virtual {
        verifier = IImageVerifier(address(new KnownToxicWasteGroth16Verifier()));
        registry = new ModelRegistry();
        _commitment = IModelRegistry.ModelCommitment({
            modelHash: MODEL,
            circuitHash: keccak256("circuit"),
            vkHash: verifier.verifyingKeyHash(),
            proofSystemId: verifier.proofSystem(),
            uri: "ipfs://model"
        });
        vm.prank(owner);
        registryId = registry.registerModel(commitment(), verifier);
        nft = newCollection();
    }

    function newCollection() internal returns (PlatemarkNFT) {
        return newCollection("Sprites", "Small pictures.", "");
    }

    function newCollection(string memory name, string memory description, string memory base)
        internal
        returns (PlatemarkNFT)
    {
        uint256[] memory ids = new uint256[](1);
        ids[0] = registryId;
        return new PlatemarkNFT(
            registry,
            PlatemarkNFT.Options({
                name: name,
                symbol: "SPR",
                description: description,
                imageBaseUri: base,
                owner: owner,
                royaltyReceiver: owner,
                royaltyBasisPoints: 500
            }),
            ids
        );
    }

    /// @dev From storage: a call in here would use up the caller's prank.
    function commitment() internal view returns (IModelRegistry.ModelCommitment memory) {
        return _commitment;
    }

    /// @dev A proof for `recipient` that the collection accepts.
    function proofFor(address recipient, uint256 seed, bytes32 digest)
        internal
        view
        returns (bytes memory)
    {
        return KnownKeyProver.prove(KnownKey.NARROW, seed, digest, nft.contextOf(recipient, MODEL));
    }

    function mintTo(address recipient, uint256 seed) internal returns (uint256) {
        return nft.mint(
            recipient, MODEL, seed, abi.encodePacked(DIGEST), proofFor(recipient, seed, DIGEST)
        );
    }

    function promptOf(uint256 seed) internal pure returns (bytes memory) {
        return abi.encode(MODEL, seed);
    }

    function tokenOf(uint256 seed) internal pure returns (uint256) {
        return uint256(keccak256(promptOf(seed)));
    }
}
