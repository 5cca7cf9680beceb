// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Collection} from "./Collection.sol";
import {PixelCollection} from "./KeptPixels.t.sol";
import {KnownKeyProver} from "./KnownKeyProver.sol";
import {KnownKey} from "./generated/KnownKey.sol";
import {
    KnownToxicWasteWideGroth16Verifier
} from "./generated/KnownToxicWasteWideGroth16Verifier.sol";

/// @title Gas of what users pay for, kept in verifier-contracts/snapshots/
/// @dev Execution only: a transaction adds 21,000 and its calldata.
contract GasTest is Collection {
    bytes32 private constant CONTEXT = keccak256("context");

    function test_Gas_VerifyImage() public {
        bytes memory image = abi.encodePacked(DIGEST);
        bytes memory proof = KnownKeyProver.prove(KnownKey.NARROW, SEED, DIGEST, CONTEXT);
        verifier.verifyImage(SEED, image, CONTEXT, proof);
        vm.snapshotGasLastCall("Groth16", "verifyImage, 16 latent dimensions");

        KnownToxicWasteWideGroth16Verifier wide = new KnownToxicWasteWideGroth16Verifier();
        proof = KnownKeyProver.prove(KnownKey.WIDE, SEED, DIGEST, CONTEXT);
        wide.verifyImage(SEED, image, CONTEXT, proof);
        vm.snapshotGasLastCall("Groth16", "verifyImage, 100 latent dimensions");
    }

    function test_Gas_Mint() public {
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        bytes memory image = abi.encodePacked(DIGEST);
        nft.mint(alice, MODEL, SEED, image, proof);
        vm.snapshotGasLastCall("PlatemarkNFT", "mint, first of the collection");
        proof = proofFor(alice, SEED + 1, DIGEST);
        nft.mint(alice, MODEL, SEED + 1, image, proof);
        vm.snapshotGasLastCall("PlatemarkNFT", "mint, second to the same recipient");
        nft.verify(promptOf(SEED), image, abi.encodePacked(alice, proofFor(alice, SEED, DIGEST)));
        vm.snapshotGasLastCall("PlatemarkNFT", "verify");
    }

    function test_Gas_Register() public {
        registry.registerModel(commitment(), verifier);
        vm.snapshotGasLastCall("ModelRegistry", "registerModel");
    }
}

/// @dev With a verifier that does next to nothing: what the collection itself costs.
contract PixelGasTest is PixelCollection {
    function test_Gas_Pixels() public {
        bytes memory pixels = pixelsFor(SEED, 64 * 64 * 3);
        bytes memory proof = pixelProof(alice, SEED, pixels);
        nft.mint(alice, PIXEL_MODEL, SEED, pixels, proof);
        vm.snapshotGasLastCall("KeptPixels", "mint, 64x64x3, without verification");
        uint256 token = uint256(keccak256(abi.encode(PIXEL_MODEL, SEED)));
        nft.keepPixels(token, pixels);
        vm.snapshotGasLastCall("KeptPixels", "keepPixels, 64x64x3");
        nft.tokenURI(token);
        vm.snapshotGasLastCall("KeptPixels", "tokenURI, 64x64x3");

        pixels = pixelsFor(SEED + 1, 64 * 64 * 3);
        proof = pixelProof(alice, SEED + 1, pixels);
        nft.mintAndKeepPixels(alice, PIXEL_MODEL, SEED + 1, pixels, proof);
        vm.snapshotGasLastCall("KeptPixels", "mintAndKeepPixels, 64x64x3, without verification");
    }
}
