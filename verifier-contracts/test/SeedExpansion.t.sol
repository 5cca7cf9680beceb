// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {PlatemarkContext} from "platemark/PlatemarkContext.sol";
import {SeedExpansion} from "platemark/SeedExpansion.sol";
import {KnownKey} from "./generated/KnownKey.sol";

contract SeedExpansionTest is Test {
    /// @dev Fields in alphabetical order, as the JSON cheatcodes want them.
    struct Expansion {
        uint256 dimensions;
        bytes32[] limbs;
        bytes32 seed;
    }

    struct ContextVector {
        uint256 chainId;
        address contractAddress;
        bytes32 hash;
        address recipient;
    }

    string private json = vm.readFile("verifier-contracts/test/generated/vectors.json");

    function test_LimbsAreThoseOfTypeScript() public view {
        Expansion[] memory vectors = abi.decode(vm.parseJson(json, ".expansions"), (Expansion[]));
        assertEq(vectors.length, 30);
        for (uint256 v = 0; v < vectors.length; ++v) {
            Expansion memory vector = vectors[v];
            assertEq(SeedExpansion.limbCount(vector.dimensions), vector.limbs.length);
            for (uint256 i = 0; i < vector.limbs.length; ++i) {
                assertEq(
                    SeedExpansion.limb(uint256(vector.seed), vector.dimensions, i),
                    uint256(vector.limbs[i])
                );
            }
        }
    }

    /// @dev The definition, byte by byte.
    function testFuzz_LimbsHoldTheBytesOfTheDefinition(uint256 seed, uint256 dimensions)
        public
        pure
    {
        dimensions = bound(dimensions, 1, 200);
        uint256 limb;
        for (uint256 j = 0; j < dimensions; ++j) {
            bytes32 block_ =
                keccak256(abi.encodePacked(keccak256("platemark.seed.v1"), seed, j / 31));
            limb = limb * 256 + uint8(block_[j % 31]);
            if (j % 31 == 30 || j == dimensions - 1) {
                assertEq(SeedExpansion.limb(seed, dimensions, j / 31), limb);
                limb = 0;
            }
        }
    }

    function test_ContextsAreThoseOfTypeScript() public {
        ContextVector[] memory vectors =
            abi.decode(vm.parseJson(json, ".contexts"), (ContextVector[]));
        assertEq(vectors.length, 2);
        ContextVector memory vector = vectors[1];
        vm.chainId(vector.chainId);
        deployCodeTo("SeedExpansion.t.sol:ContextCaller", vector.contractAddress);
        assertEq(
            ContextCaller(vector.contractAddress).contextHash(vector.recipient, KnownKey.MODEL_ID),
            vector.hash
        );
    }
}

contract ContextCaller {
    function contextHash(address recipient, bytes32 modelId) external view returns (bytes32) {
        return PlatemarkContext.contextHash(recipient, modelId);
    }
}
