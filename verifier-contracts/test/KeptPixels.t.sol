// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {IERC7007} from "platemark/IERC7007.sol";
import {IModelRegistry} from "platemark/IModelRegistry.sol";
import {KeptPixels} from "platemark/KeptPixels.sol";
import {PlatemarkNFT} from "platemark/PlatemarkNFT.sol";
import {PngImage} from "platemark/PngImage.sol";
import {TokenMetadata} from "platemark/TokenMetadata.sol";
import {Collection} from "./Collection.sol";
import {MisstatedPixelVerifier, MockPixelVerifier} from "./MockPixelVerifier.sol";

/// @title A collection with a groth16 model and models whose images are their pixels
abstract contract PixelCollection is Collection {
    bytes32 internal constant PIXEL_MODEL = keccak256("model of pixels");

    MockPixelVerifier internal pixelVerifier;

    function setUp() public virtual override {
        super.setUp();
        pixelVerifier = new MockPixelVerifier(PIXEL_MODEL, 64, 64, 3);
        admit(pixelVerifier);
    }

    function admit(MockPixelVerifier added) internal {
        IModelRegistry.ModelCommitment memory model = IModelRegistry.ModelCommitment({
            modelHash: added.modelId(),
            circuitHash: keccak256("layout"),
            vkHash: added.verifyingKeyHash(),
            proofSystemId: added.proofSystem(),
            uri: ""
        });
        uint256 id = registry.registerModel(model, added);
        vm.prank(owner);
        nft.admitModel(id);
    }

    function pixelsFor(uint256 seed, uint256 size) internal pure returns (bytes memory pixels) {
        pixels = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            pixels[i] = bytes1(uint8((i * (seed + 3)) >> 4));
        }
    }

    function pixelProof(address recipient, uint256 seed, bytes memory pixels)
        internal
        view
        returns (bytes memory)
    {
        return pixelProof(pixelVerifier, recipient, seed, pixels);
    }

    function pixelProof(MockPixelVerifier by, address recipient, uint256 seed, bytes memory pixels)
        internal
        view
        returns (bytes memory)
    {
        return by.prove(seed, keccak256(pixels), nft.contextOf(recipient, by.modelId()));
    }
}

contract KeptPixelsTest is PixelCollection {
    bytes private pixels;
    uint256 private token;

    function setUp() public override {
        super.setUp();
        pixels = pixelsFor(SEED, 64 * 64 * 3);
        bytes memory proof = pixelProof(alice, SEED, pixels);
        token = nft.mint(alice, PIXEL_MODEL, SEED, pixels, proof);
    }

    function test_MintsFromPixelsWithoutKeepingThem() public {
        assertEq(nft.statementOf(token).imageHash, keccak256(pixels));
        (bytes memory kept, KeptPixels.Picture memory picture) = nft.pixelsOf(token);
        assertEq(kept.length, 0);
        assertEq(picture.pointer, address(0));
    }

    /// @dev ERC-7007's indexed `aigcData` puts the hash of the pixels into the log: the image hash.
    function test_LogHoldsTheImageHash() public {
        bytes memory other = pixelsFor(7, 64 * 64 * 3);
        bytes memory proof = pixelProof(bob, 7, other);
        uint256 id = uint256(keccak256(abi.encode(PIXEL_MODEL, uint256(7))));
        vm.expectEmit(address(nft));
        emit PlatemarkNFT.ImageMinted(id, PIXEL_MODEL, bob, 7, keccak256(other));
        vm.expectEmit(address(nft));
        emit IERC7007.AigcData(
            id, abi.encode(PIXEL_MODEL, uint256(7)), other, abi.encodePacked(bob, proof)
        );
        nft.mint(bob, PIXEL_MODEL, 7, other, proof);
    }

    /// @dev ERC-7007's other functions take pixels for `aigcData` too.
    function test_VerifiesAndRepublishesPixels() public {
        bytes memory prompt = abi.encode(PIXEL_MODEL, SEED);
        bytes memory proof = abi.encodePacked(alice, pixelProof(alice, SEED, pixels));
        assertTrue(nft.verify(prompt, pixels, proof));
        bytes memory altered = pixels;
        altered[5] ^= 0x01;
        assertFalse(nft.verify(prompt, altered, proof));
        assertFalse(nft.verify(prompt, abi.encodePacked(keccak256(pixels)), proof));
        vm.expectEmit(address(nft));
        emit IERC7007.AigcData(token, prompt, pixels, proof);
        vm.startPrank(alice);
        nft.addAigcData(token, prompt, pixels, proof);
        bytes memory other = abi.encodePacked(alice, pixelProof(alice, SEED, altered));
        vm.expectRevert(
            abi.encodeWithSelector(
                PlatemarkNFT.ImageHashMismatch.selector,
                token,
                keccak256(pixels),
                keccak256(altered)
            )
        );
        nft.addAigcData(token, prompt, altered, other);
    }

    function test_AnybodyKeepsTheProvenPixels() public {
        vm.expectEmit(true, false, false, false, address(nft));
        emit PlatemarkNFT.PixelsKept(token, address(0));
        vm.expectEmit(address(nft));
        emit IERC4906.MetadataUpdate(token);
        vm.prank(bob);
        nft.keepPixels(token, pixels);
        (bytes memory kept, KeptPixels.Picture memory picture) = nft.pixelsOf(token);
        assertEq(kept, pixels);
        assertEq(picture.pointer.code, abi.encodePacked(hex"00", pixels));
        assertEq(picture.height, 64);
        assertEq(picture.width, 64);
        assertEq(picture.channels, 3);
    }

    function test_MintsAndKeepsInOne() public {
        bytes memory other = pixelsFor(7, 64 * 64 * 3);
        bytes memory proof = pixelProof(alice, 7, other);
        uint256 id = nft.mintAndKeepPixels(alice, PIXEL_MODEL, 7, other, proof);
        (bytes memory kept,) = nft.pixelsOf(id);
        assertEq(kept, other);
        assertEq(nft.ownerOf(id), alice);
        assertEq(nft.statementOf(id).imageHash, keccak256(other));
    }

    /// @dev `test/sumcheck-pipeline.test.ts` decodes the metadata and the picture in it.
    function test_MetadataShowsTheKeptPixels() public {
        nft.keepPixels(token, pixels);
        assertEq(
            nft.tokenURI(token),
            TokenMetadata.tokenUri(
                TokenMetadata.Token({
                    collection: "Sprites",
                    description: "Small pictures.",
                    imageBaseUri: "",
                    modelId: PIXEL_MODEL,
                    seed: SEED,
                    conditions: "",
                    imageHash: keccak256(pixels),
                    png: PngImage.encode(pixels, 64, 64, 3)
                })
            )
        );
    }

    function test_KeptPixelsComeBeforeTheBaseUri() public {
        vm.prank(owner);
        nft.setImageBaseUri("ipfs://pictures/");
        bytes32 before = keccak256(bytes(nft.tokenURI(token)));
        nft.keepPixels(token, pixels);
        assertNotEq(keccak256(bytes(nft.tokenURI(token))), before);
        bytes32 kept = keccak256(bytes(nft.tokenURI(token)));
        vm.prank(owner);
        nft.setImageBaseUri("ipfs://others/");
        assertEq(keccak256(bytes(nft.tokenURI(token))), kept);
    }

    function testFuzz_RevertWhen_PixelsAreOthers(uint256 at, uint8 difference) public {
        vm.assume(difference != 0);
        at = bound(at, 0, pixels.length - 1);
        bytes memory altered = pixels;
        altered[at] = bytes1(uint8(altered[at]) ^ difference);
        vm.expectRevert(
            abi.encodeWithSelector(
                KeptPixels.PixelsNotProven.selector, keccak256(pixels), keccak256(altered)
            )
        );
        nft.keepPixels(token, altered);
    }

    function test_RevertWhen_PixelsAreKeptAgain() public {
        nft.keepPixels(token, pixels);
        (, KeptPixels.Picture memory picture) = nft.pixelsOf(token);
        vm.expectRevert(
            abi.encodeWithSelector(KeptPixels.PixelsAlreadyKept.selector, picture.pointer)
        );
        nft.keepPixels(token, pixels);
    }

    function test_RevertWhen_TokenDoesNotExist() public {
        bytes memory reason =
            abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1);
        vm.expectRevert(reason);
        nft.keepPixels(1, pixels);
        vm.expectRevert(reason);
        nft.pixelsOf(1);
    }

    /// @dev Groth16's image hash is a Poseidon digest; even a string that hashes to it would not do.
    function test_RevertWhen_VerifierHasNoPixels() public {
        bytes memory text = "a string with a known hash";
        bytes32 digest = bytes32(uint256(keccak256(text)) >> 3);
        uint256 id =
            nft.mint(alice, MODEL, SEED, abi.encodePacked(digest), proofFor(alice, SEED, digest));
        bytes memory reason =
            abi.encodeWithSelector(KeptPixels.PixelsNotComparable.selector, verifier);
        vm.expectRevert(reason);
        nft.keepPixels(id, text);
        bytes memory proof = proofFor(alice, SEED + 1, DIGEST);
        vm.expectRevert(reason);
        nft.mintAndKeepPixels(alice, MODEL, SEED + 1, abi.encodePacked(DIGEST), proof);
    }

    function test_RevertWhen_PixelsAreTooLarge() public {
        MockPixelVerifier large = new MockPixelVerifier(keccak256("large"), 24_576, 1, 1);
        admit(large);
        bytes memory many = pixelsFor(1, 24_576);
        bytes memory proof = pixelProof(large, alice, 1, many);
        uint256 id = nft.mint(alice, large.modelId(), 1, many, proof);
        vm.expectRevert(abi.encodeWithSelector(KeptPixels.PixelsTooLarge.selector, 24_576, 24_575));
        nft.keepPixels(id, many);
    }

    function test_KeepsAsManyPixelsAsACodeHolds() public {
        MockPixelVerifier largest = new MockPixelVerifier(keccak256("largest"), 24_575, 1, 1);
        admit(largest);
        bytes memory many = pixelsFor(1, 24_575);
        bytes memory proof = pixelProof(largest, alice, 1, many);
        uint256 id = nft.mintAndKeepPixels(alice, largest.modelId(), 1, many, proof);
        (bytes memory kept,) = nft.pixelsOf(id);
        assertEq(kept, many);
        assertGt(bytes(nft.tokenURI(id)).length, many.length);
    }

    function test_RevertWhen_VerifierMisstatesTheSize() public {
        MisstatedPixelVerifier wrong = new MisstatedPixelVerifier(keccak256("misstated"));
        admit(wrong);
        bytes memory few = pixelsFor(1, 48);
        bytes memory proof = pixelProof(wrong, alice, 1, few);
        bytes32 model = wrong.modelId();
        vm.expectRevert(abi.encodeWithSelector(KeptPixels.ImageSizeInvalid.selector, 4, 4, 4, 48));
        nft.mintAndKeepPixels(alice, model, 1, few, proof);
    }

    /// @dev The receiver finds the pixels kept, and a failing receiver leaves nothing behind.
    function test_ReceiverIsCalledLast() public {
        PixelReceiver receiver = new PixelReceiver();
        bytes memory other = pixelsFor(7, 64 * 64 * 3);
        bytes memory proof = pixelProof(address(receiver), 7, other);
        uint256 id = nft.mintAndKeepPixels(address(receiver), PIXEL_MODEL, 7, other, proof);
        assertEq(receiver.found(), keccak256(other));
        assertEq(nft.ownerOf(id), address(receiver));
    }
}

contract PixelReceiver is IERC721Receiver {
    bytes32 public found;

    function onERC721Received(address, address, uint256 id, bytes calldata)
        external
        returns (bytes4)
    {
        (bytes memory pixels,) = PlatemarkNFT(msg.sender).pixelsOf(id);
        found = keccak256(pixels);
        return this.onERC721Received.selector;
    }
}
