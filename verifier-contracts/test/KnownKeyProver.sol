// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Groth16Bn254} from "platemark/Groth16Bn254.sol";
import {SeedExpansion} from "platemark/SeedExpansion.sol";
import {KnownKey} from "./generated/KnownKey.sol";

/// @title Valid proofs of any statement, from the toxic waste of the test verifiers
/// @dev A = a·G1, B = b·G2, C = ((ab − αβ − γ·Σ input_i·ic_i) / δ)·G1.
library KnownKeyProver {
    uint256 private constant R = Groth16Bn254.SCALAR_MODULUS;

    function prove(uint256 dimensions, uint256 seed, bytes32 digest, bytes32 context)
        internal
        view
        returns (bytes memory)
    {
        return prove(publicInputs(dimensions, seed, digest, context), 12345);
    }

    function prove(uint256[] memory inputs, uint256 a) internal view returns (bytes memory) {
        uint256 combined = KnownKey.ic(0);
        for (uint256 i = 0; i < inputs.length; ++i) {
            combined = addmod(combined, mulmod(inputs[i], KnownKey.ic(i + 1), R), R);
        }
        uint256 c = mulmod(a, KnownKey.B_LOGARITHM, R);
        c = addmod(c, R - KnownKey.ALPHA_BETA, R);
        c = addmod(c, R - mulmod(KnownKey.GAMMA, combined, R), R);
        c = mulmod(c, KnownKey.DELTA_INVERSE, R);
        return abi.encodePacked(
            multiply(a), KnownKey.B_0, KnownKey.B_1, KnownKey.B_2, KnownKey.B_3, multiply(c)
        );
    }

    function publicInputs(uint256 dimensions, uint256 seed, bytes32 digest, bytes32 context)
        internal
        pure
        returns (uint256[] memory inputs)
    {
        uint256 limbs = SeedExpansion.limbCount(dimensions);
        inputs = new uint256[](limbs + 2);
        inputs[0] = uint256(digest);
        for (uint256 i = 0; i < limbs; ++i) {
            inputs[i + 1] = SeedExpansion.limb(seed, dimensions, i);
        }
        inputs[limbs + 1] = uint256(context) >> 3;
    }

    /// @dev A multiple of the generator (1, 2), as x and y.
    function multiply(uint256 factor) internal view returns (bytes memory point) {
        bool success;
        (success, point) = address(7).staticcall(abi.encode(1, 2, factor));
        require(success, "ecMul");
    }
}
