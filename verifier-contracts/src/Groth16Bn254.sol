// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IImageVerifier} from "./IImageVerifier.sol";

/// @title Groth16 over BN254
/// @notice Decides whether a proof (A, B, C) satisfies
///
///     e(A, B) = e(α, β) · e(Σ input_i · IC_i, γ) · e(C, δ)        with input_0 = 1
///
/// (Groth, eprint 2016/260) by the precompiles of EIP-196 and EIP-197.
/// @dev Encodings, once and for all:
/// - a G1 point is x, y; a G2 point is x.imaginary, x.real, y.imaginary, y.real (EIP-197);
/// - a proof is the eight words A.x A.y B.x.c1 B.x.c0 B.y.c1 B.y.c0 C.x C.y;
/// - a key is α (2 words), β, γ, δ (4 each), then IC_0, IC_1, … (2 each).
///
/// Every proof has one encoding: inputs below the scalar modulus, coordinates below the base modulus,
/// no point at infinity. Groth16 itself remains malleable (anyone can turn a proof into another proof
/// of the same statement), so never use a hash of a proof as a replay key; use the statement.
///
/// The points are checked to be on their curves before the precompile sees them, because a failing
/// precompile takes all gas it was given. Of B's subgroup only the pairing precompile can tell cheaply;
/// it is called with a gas cap.
library Groth16Bn254 {
    /// @dev Order of G1 and G2: the field of public inputs.
    uint256 internal constant SCALAR_MODULUS =
        0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    /// @dev Field of the coordinates.
    uint256 internal constant BASE_MODULUS =
        0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

    /// @dev 3 / (9 + u), the constant of the twist y² = x³ + 3/(9 + u) over F_q[u]/(u² + 1).
    uint256 private constant TWIST_B_REAL =
        0x2b149d40ceb8aaae81be18991be06ac3b5b4c5e559dbefa33267e6dc24a138e5;
    uint256 private constant TWIST_B_IMAGINARY =
        0x009713b03af0fed4cd2cafadeed8fdf4a74fa084e52d1852e4a2bd0685c315d2;

    /// @dev From a key's place in memory to its IC_0: the array's length and the 14 words before it.
    uint256 private constant KEY_HEAD_BYTES = 480;

    /// @dev Four pairings cost 181,000 gas (EIP-1108); the rest is room for a future repricing. A proof
    /// that makes the precompile fail costs this much and no more.
    uint256 private constant PAIRING_GAS_CAP = 360_000;

    /// @notice Public input `index` is not below the scalar modulus: a second name for another input.
    error PublicInputNotCanonical(uint256 index, uint256 value);
    /// @notice Word `index` of the proof is not below the base modulus.
    error CoordinateNotCanonical(uint256 index, uint256 value);
    /// @notice Point `point` of the proof (0 = A, 1 = B, 2 = C) is not on its curve, or is infinity.
    error PointNotOnCurve(uint256 point);

    /// @dev Why a proof is refused; the order is the order of the checks.
    enum Flaw {
        None,
        PublicInput,
        Coordinate,
        Point,
        Pairing
    }

    /// @notice Reverts with the reason unless the proof holds.
    /// @param key The verifying key; trusted, as it comes from the contract's own code.
    /// @param inputs The public inputs, one fewer than the key has IC points.
    /// @param proof The eight words of the proof.
    function requireValid(uint256[] memory key, uint256[] memory inputs, uint256[8] memory proof)
        internal
        view
    {
        (Flaw flaw, uint256 index) = inspect(key, inputs, proof);
        if (flaw == Flaw.None) return;
        if (flaw == Flaw.PublicInput) revert PublicInputNotCanonical(index, inputs[index]);
        if (flaw == Flaw.Coordinate) revert CoordinateNotCanonical(index, proof[index]);
        if (flaw == Flaw.Point) revert PointNotOnCurve(index);
        revert IImageVerifier.ProofInvalid();
    }

    /// @notice Finds the first flaw of a proof.
    /// @param key The verifying key.
    /// @param inputs The public inputs.
    /// @param proof The eight words of the proof.
    /// @return flaw `None` if and only if the proof holds.
    /// @return index Which input, word or point has the flaw.
    function inspect(uint256[] memory key, uint256[] memory inputs, uint256[8] memory proof)
        internal
        view
        returns (Flaw flaw, uint256 index)
    {
        for (index = 0; index < inputs.length; ++index) {
            if (inputs[index] >= SCALAR_MODULUS) return (Flaw.PublicInput, index);
        }
        for (index = 0; index < 8; ++index) {
            if (proof[index] >= BASE_MODULUS) return (Flaw.Coordinate, index);
        }
        if (!_isOnCurve(proof[0], proof[1])) return (Flaw.Point, 0);
        if (!_isOnTwist(proof[3], proof[2], proof[5], proof[4])) return (Flaw.Point, 1);
        if (!_isOnCurve(proof[6], proof[7])) return (Flaw.Point, 2);
        return (_pairingHolds(key, inputs, proof) ? Flaw.None : Flaw.Pairing, 0);
    }

    /// @dev e(−A, B) · e(α, β) · e(L, γ) · e(C, δ) = 1 with L = Σ input_i · IC_i.
    function _pairingHolds(uint256[] memory key, uint256[] memory inputs, uint256[8] memory proof)
        private
        view
        returns (bool)
    {
        (uint256 x, uint256 y) = _combine(key, inputs);
        // No point of the curve has y = 0 (its order is odd), so −A.y is again below the modulus.
        uint256 negated = BASE_MODULUS - proof[1];
        uint256[24] memory pairs;
        assembly ("memory-safe") {
            let words := add(key, 32)
            mcopy(pairs, proof, 192)
            mstore(add(pairs, 32), negated)
            mcopy(add(pairs, 192), words, 192)
            mstore(add(pairs, 384), x)
            mstore(add(pairs, 416), y)
            mcopy(add(pairs, 448), add(words, 192), 128)
            mcopy(add(pairs, 576), add(proof, 192), 64)
            mcopy(add(pairs, 640), add(words, 320), 128)
        }

        uint256 available = gasleft();
        bool called;
        uint256 result;
        assembly ("memory-safe") {
            called := staticcall(PAIRING_GAS_CAP, 8, pairs, 768, 0, 32)
            result := mload(0)
        }
        if (called) return result == 1;
        // The call gets at most 63/64 of the gas that is left. If that was less than the cap, nobody
        // can say whether the proof is bad or the gas ran out, so neither may be claimed.
        if (available - available / 64 < PAIRING_GAS_CAP + 1000) {
            revert IImageVerifier.InsufficientGas(available);
        }
        return false;
    }

    /// @dev IC_0 + Σ input_i · IC_{i+1}.
    function _combine(uint256[] memory key, uint256[] memory inputs)
        private
        view
        returns (uint256 x, uint256 y)
    {
        // Words 0–1 the sum, 2–3 the summand, 4 its factor: input and output of both precompiles.
        uint256[5] memory buffer;
        bool done = true;
        assembly ("memory-safe") {
            let point := add(key, KEY_HEAD_BYTES)
            let summand := add(buffer, 64)
            mcopy(buffer, point, 64)
            let input := add(inputs, 32)
            for { let end := add(input, mul(mload(inputs), 32)) } lt(input, end) {
                input := add(input, 32)
            } {
                point := add(point, 64)
                mcopy(summand, point, 64)
                mstore(add(summand, 64), mload(input))
                done := and(done, staticcall(gas(), 7, summand, 96, summand, 64))
                done := and(done, staticcall(gas(), 6, buffer, 128, buffer, 64))
            }
        }
        // The points are the key's and the scalars were checked: these calls fail for want of gas only.
        if (!done) revert IImageVerifier.InsufficientGas(gasleft());
        return (buffer[0], buffer[1]);
    }

    /// @dev y² = x³ + 3. False for (0, 0), which the precompiles read as infinity.
    function _isOnCurve(uint256 x, uint256 y) private pure returns (bool) {
        uint256 q = BASE_MODULUS;
        uint256 cube = mulmod(mulmod(x, x, q), x, q);
        return mulmod(y, y, q) == addmod(cube, 3, q);
    }

    /// @dev y² = x³ + 3/(9 + u) with x = x0 + x1·u. False for infinity.
    function _isOnTwist(uint256 x0, uint256 x1, uint256 y0, uint256 y1)
        private
        pure
        returns (bool)
    {
        uint256 q = BASE_MODULUS;
        (uint256 square0, uint256 square1) = _square(x0, x1);
        uint256 right0 = addmod(mulmod(square0, x0, q), q - mulmod(square1, x1, q), q);
        uint256 right1 = addmod(mulmod(square0, x1, q), mulmod(square1, x0, q), q);
        (uint256 left0, uint256 left1) = _square(y0, y1);
        return
            left0 == addmod(right0, TWIST_B_REAL, q)
                && left1 == addmod(right1, TWIST_B_IMAGINARY, q);
    }

    /// @dev (a + b·u)² = (a + b)(a − b) + 2ab·u.
    function _square(uint256 a, uint256 b) private pure returns (uint256, uint256) {
        uint256 q = BASE_MODULUS;
        return (mulmod(addmod(a, b, q), addmod(a, q - b, q), q), mulmod(addmod(a, a, q), b, q));
    }
}
