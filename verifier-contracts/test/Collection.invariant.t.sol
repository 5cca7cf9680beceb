// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {PlatemarkNFT} from "platemark/PlatemarkNFT.sol";
import {Collection} from "./Collection.sol";
import {KnownKeyProver} from "./KnownKeyProver.sol";
import {KnownKey} from "./generated/KnownKey.sol";

/// @dev Mints, mints again, forges images with the toxic waste, transfers and republishes.
contract Minter is Test {
    PlatemarkNFT private immutable NFT;
    uint256 private constant SEEDS = 6;

    uint256[] public tokens;
    mapping(uint256 id => bytes32) public imageHashes;
    uint256 public attempts;

    constructor(PlatemarkNFT nft) {
        NFT = nft;
    }

    function mint(uint256 seed, uint256 digest, uint160 recipient) external {
        ++attempts;
        seed = bound(seed, 0, SEEDS - 1);
        digest = bound(digest, 0, 3);
        address to = address(uint160(bound(recipient, 1 << 32, (1 << 32) + 9)));
        try NFT.mint(
            to, KnownKey.MODEL_ID, seed, abi.encodePacked(digest), prove(to, seed, digest)
        ) returns (
            uint256 id
        ) {
            require(imageHashes[id] == 0, "minted twice");
            tokens.push(id);
            imageHashes[id] = bytes32(digest + 1);
        } catch (bytes memory reason) {
            require(bytes4(reason) == PlatemarkNFT.AlreadyMinted.selector, "other reason");
        }
    }

    function republish(uint256 index, uint256 digest) external {
        if (tokens.length == 0) return;
        uint256 id = tokens[bound(index, 0, tokens.length - 1)];
        digest = bound(digest, 0, 3);
        address holder = NFT.ownerOf(id);
        uint256 seed = NFT.statementOf(id).seed;
        bytes memory proof = abi.encodePacked(holder, prove(holder, seed, digest));
        vm.prank(holder);
        try NFT.addAigcData(
            id, abi.encode(KnownKey.MODEL_ID, seed), abi.encodePacked(digest), proof
        ) {
            require(bytes32(digest + 1) == imageHashes[id], "another image");
        } catch {}
    }

    function transfer(uint256 index, uint160 recipient) external {
        if (tokens.length == 0) return;
        uint256 id = tokens[bound(index, 0, tokens.length - 1)];
        address holder = NFT.ownerOf(id);
        vm.prank(holder);
        NFT.transferFrom(holder, address(uint160(bound(recipient, 1 << 32, (1 << 32) + 9))), id);
    }

    function count() external view returns (uint256) {
        return tokens.length;
    }

    function prove(address to, uint256 seed, uint256 digest) private view returns (bytes memory) {
        return KnownKeyProver.prove(
            KnownKey.NARROW, seed, bytes32(digest), NFT.contextOf(to, KnownKey.MODEL_ID)
        );
    }
}

contract CollectionInvariantTest is Collection {
    Minter private minter;

    function setUp() public override {
        super.setUp();
        minter = new Minter(nft);
        targetContract(address(minter));
    }

    function invariant_SupplyIsTheNumberOfSuccessfulMints() public view {
        assertEq(nft.totalSupply(), minter.count());
    }

    function invariant_OneTokenForAModelAndSeed() public view {
        assertLe(nft.totalSupply(), 6);
        for (uint256 i = 0; i < minter.count(); ++i) {
            uint256 id = minter.tokens(i);
            PlatemarkNFT.ImageStatement memory statement = nft.statementOf(id);
            assertEq(id, uint256(keccak256(abi.encode(statement.modelId, statement.seed))));
            assertEq(bytes(nft.prompt(id)), abi.encode(statement.modelId, statement.seed));
        }
    }

    function invariant_ImageHashesNeverChange() public view {
        for (uint256 i = 0; i < minter.count(); ++i) {
            uint256 id = minter.tokens(i);
            assertEq(uint256(nft.statementOf(id).imageHash) + 1, uint256(minter.imageHashes(id)));
            assertNotEq(nft.ownerOf(id), address(0));
        }
    }
}
