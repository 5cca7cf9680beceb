// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {KeptPixels} from "platemark/KeptPixels.sol";
import {PlatemarkNFT} from "platemark/PlatemarkNFT.sol";
import {PixelCollection} from "./KeptPixels.t.sol";
import {MockPixelVerifier} from "./MockPixelVerifier.sol";

/// @dev Mints with and without keeping, keeps right and wrong pixels, transfers. Proofs can be made for
/// any image, so that one seed may be tried with several.
contract Keeper is Test {
    PlatemarkNFT private immutable NFT;
    MockPixelVerifier private immutable VERIFIER;
    uint256 private constant SEEDS = 5;

    uint256[] public tokens;
    mapping(uint256 id => bytes) public minted;
    mapping(uint256 id => address) public pointers;

    constructor(PlatemarkNFT nft, MockPixelVerifier verifier) {
        (NFT, VERIFIER) = (nft, verifier);
    }

    function mint(uint256 seed, uint8 shade, uint160 recipient, bool keep) external {
        seed = bound(seed, 0, SEEDS - 1);
        bytes memory pixels = image(shade);
        bytes32 model = VERIFIER.modelId();
        address to = account(recipient);
        bytes memory proof = VERIFIER.prove(seed, keccak256(pixels), NFT.contextOf(to, model));
        bytes memory call = keep
            ? abi.encodeCall(NFT.mintAndKeepPixels, (to, model, seed, pixels, proof))
            : abi.encodeCall(NFT.mint, (to, model, seed, pixels, proof));
        (bool success, bytes memory result) = address(NFT).call(call);
        if (!success) {
            require(bytes4(result) == PlatemarkNFT.AlreadyMinted.selector, "other reason");
            return;
        }
        uint256 id = abi.decode(result, (uint256));
        require(minted[id].length == 0, "minted twice");
        tokens.push(id);
        minted[id] = pixels;
        if (keep) note(id);
    }

    function keepPixels(uint256 index, uint8 shade) external {
        if (tokens.length == 0) return;
        uint256 id = tokens[bound(index, 0, tokens.length - 1)];
        bytes memory pixels = image(shade);
        bool same = keccak256(pixels) == keccak256(minted[id]);
        bool empty = pointers[id] == address(0);
        try NFT.keepPixels(id, pixels) {
            require(same && empty, "kept what it must not");
            note(id);
        } catch (bytes memory reason) {
            require(!same || !empty, "refused what it must keep");
            require(
                bytes4(reason)
                    == (empty
                            ? KeptPixels.PixelsNotProven.selector
                            : KeptPixels.PixelsAlreadyKept.selector),
                "other reason"
            );
        }
    }

    function transfer(uint256 index, uint160 recipient) external {
        if (tokens.length == 0) return;
        uint256 id = tokens[bound(index, 0, tokens.length - 1)];
        address holder = NFT.ownerOf(id);
        vm.prank(holder);
        NFT.transferFrom(holder, account(recipient), id);
    }

    function count() external view returns (uint256) {
        return tokens.length;
    }

    function note(uint256 id) private {
        (, KeptPixels.Picture memory picture) = NFT.pixelsOf(id);
        require(picture.pointer != address(0), "not kept");
        pointers[id] = picture.pointer;
    }

    function account(uint160 number) private pure returns (address) {
        return address(uint160(bound(number, 1 << 32, (1 << 32) + 9)));
    }

    function image(uint8 shade) private pure returns (bytes memory pixels) {
        pixels = new bytes(48);
        for (uint256 i = 0; i < 48; ++i) {
            pixels[i] = bytes1(uint8(shade % 3 + i));
        }
    }
}

contract KeptPixelsInvariantTest is PixelCollection {
    Keeper private keeper;

    function setUp() public override {
        super.setUp();
        MockPixelVerifier small = new MockPixelVerifier(keccak256("small"), 4, 4, 3);
        admit(small);
        keeper = new Keeper(nft, small);
        targetContract(address(keeper));
    }

    function invariant_KeptPixelsAreTheProvenOnesAndStay() public view {
        assertEq(nft.totalSupply(), keeper.count());
        for (uint256 i = 0; i < keeper.count(); ++i) {
            uint256 id = keeper.tokens(i);
            bytes32 proven = keccak256(keeper.minted(id));
            assertEq(nft.statementOf(id).imageHash, proven);
            (bytes memory pixels, KeptPixels.Picture memory picture) = nft.pixelsOf(id);
            assertEq(picture.pointer, keeper.pointers(id));
            if (picture.pointer == address(0)) assertEq(pixels.length, 0);
            else assertEq(keccak256(pixels), proven);
        }
    }

    function invariant_EveryTokenHasMetadata() public view {
        for (uint256 i = 0; i < keeper.count(); ++i) {
            assertGt(bytes(nft.tokenURI(keeper.tokens(i))).length, 0);
        }
    }
}
