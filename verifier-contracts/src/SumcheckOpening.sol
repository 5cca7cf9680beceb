// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IImageVerifier} from "./IImageVerifier.sol";
import {MODULUS, P, Q, add, mul, sub} from "./SumcheckField.sol";
import {SumcheckKey as Key} from "./SumcheckKey.sol";
import {Run} from "./SumcheckRun.sol";

/// @title The opening of all columns at ρ
/// @notice Mercury (eprint 2025/385), all its openings by two points (eprint 2020/081, §4) and one pairing
/// check, `docs/protocol.md` §8.
/// @dev All points of the proof were checked to be on the curve and those of the key are trusted, so the
/// precompiles fail for want of gas only.
library SumcheckOpening {
    /// @notice The columns do not open to the values that the proof states.
    error OpeningInvalid();
    /// @notice The proof does not hold the inverse of what is divided by.
    error InverseInvalid();

    /// @dev Inverses, and what E_x is multiplied by.
    struct Shares {
        uint256 iota;
        uint256 atIota;
        uint256 atChi;
        uint256 atZ;
    }

    /// @dev P₁ and P₂ at ζ and ι, and ζ^b.
    struct Products {
        uint256 lowZeta;
        uint256 lowIota;
        uint256 highZeta;
        uint256 highIota;
        uint256 power;
    }

    /// @notice Checks the opening.
    /// @param run All challenges drawn.
    /// @param y The value of the image's commitment at z, if there is one.
    function check(Run memory run, uint256 y) internal view {
        unchecked {
            Shares memory shares = _shares(run);
            Products memory products = _products(run, run.zeta, shares.iota);
            uint256 available = gasleft();
            // Words: sum (2), summand (2), factor (1). Beyond: the pairs of the pairing check.
            uint256 buffer;
            assembly ("memory-safe") {
                buffer := mload(0x40)
            }
            (uint256 value, bool ok) = _columns(run, buffer);
            ok = _opened(run, shares, products, buffer, value, y) && ok;
            bool holds;
            (holds, ok) = _pairing(run, buffer, ok);
            if (!ok) revert IImageVerifier.InsufficientGas(available);
            if (!holds) revert OpeningInvalid();
        }
    }

    /// @dev Sum = C = Σ μ^i·C_i; returns Σ μ^i·(column i at ρ).
    function _columns(Run memory run, uint256 buffer)
        private
        view
        returns (uint256 value, bool ok)
    {
        unchecked {
            uint256 mu = run.mu;
            uint256 at = run.columnsAt;
            uint256 from = run.proofAt;
            uint256 second = run.secondAt;
            uint256 key = run.keyAt;
            key += Key.u16(key + Key.SECTIONS + 8);
            // Places of the last values of each group.
            uint256 firstEnd = at + 32 * run.firstColumns;
            uint256 secondEnd = firstEnd + 32 * run.secondColumns;
            uint256 end = run.openingAt;
            assembly ("memory-safe") {
                let p := mload(MODULUS)
                let scale := 1
                let summand := add(buffer, 64)
                // 1·C₀ needs no multiplication.
                calldatacopy(buffer, from, 64)
                value := calldataload(at)
                ok := 1
                for { at := add(at, 32) } lt(at, end) { at := add(at, 32) } {
                    from := add(from, 64)
                    if eq(at, firstEnd) { from := second }
                    if eq(at, secondEnd) { from := key }
                    scale := mulmod(scale, mu, p)
                    value := addmod(value, mulmod(scale, calldataload(at), p), p)
                    calldatacopy(summand, from, 64)
                    mstore(add(buffer, 128), scale)
                    // Arguments are evaluated from the last to the first.
                    ok := and(
                        staticcall(gas(), 6, buffer, 128, buffer, 64),
                        and(staticcall(gas(), 7, summand, 96, summand, 64), ok)
                    )
                }
            }
        }
    }

    /// @dev ι = 1/ζ and c_x = (w − ζ)/(w − x) for x = ι, χ, z, by the inverse that the proof holds of
    /// ζ·(ζw − 1)·(w − χ)[·(w − z)].
    function _shares(Run memory run) private pure returns (Shares memory shares) {
        unchecked {
            uint256 zeta = run.zeta;
            uint256 w = run.w;
            uint256 byIota = sub(mul(zeta, w), 1);
            uint256 byChi = sub(w, run.chi);
            uint256 byZ = run.committed ? sub(w, run.z) : 1;
            uint256 inverse = _word(run.evaluationsAt + 192);
            shares.iota = mul(inverse, mul(mul(byIota, byChi), byZ));
            if (mul(shares.iota, zeta) != 1) revert InverseInvalid();
            uint256 share = mul(mul(inverse, zeta), sub(w, zeta));
            shares.atIota = mul(mul(share, zeta), mul(byChi, byZ));
            share = mul(share, byIota);
            shares.atChi = mul(share, byZ);
            shares.atZ = mul(share, byChi);
        }
    }

    /// @dev Sum += everything else on the left side: Σ c_x·(E_x − y_x·G₁) + (ζ − w)·W + w·W′.
    function _opened(
        Run memory run,
        Shares memory shares,
        Products memory products,
        uint256 buffer,
        uint256 value,
        uint256 y
    ) private view returns (bool ok) {
        unchecked {
            uint256 zeta = run.zeta;
            uint256 delta = run.delta;
            uint256 delta2 = mul(delta, delta);
            uint256 delta3 = mul(delta2, delta);
            uint256 delta4 = mul(delta2, delta2);
            uint256 at = run.openingAt;
            ok = _add(buffer, at, add(add(delta2, mul(shares.atIota, delta)), shares.atChi));
            ok = _add(buffer, at + 64, add(delta, shares.atIota)) && ok;
            ok = _add(buffer, at + 128, sub(run.chi, products.power)) && ok;
            ok = _add(buffer, at + 192, add(delta3, mul(shares.atIota, delta2))) && ok;
            ok = _add(buffer, at + 256, delta4) && ok;
            ok = _add(buffer, at + 320, sub(zeta, run.w)) && ok;
            ok = _add(buffer, at + 384, run.w) && ok;

            at = run.evaluationsAt;
            uint256 sIota = _sAtIota(run, zeta, products, value);
            uint256 gIota = _word(at + 32);
            // y_ζ + c_ι·y_ι + c_χ·y_χ [+ c_z·y_z]
            uint256 sum = mul(delta4, mul(mul(products.power, shares.iota), gIota));
            sum = add(sum, mul(delta3, _word(at + 160)));
            sum = add(sum, mul(delta2, _word(at + 64)));
            sum = add(sum, mul(delta + 1, _word(at)));
            sIota = add(mul(delta2, sIota), mul(delta, _word(at + 96)));
            sum = add(sum, mul(shares.atIota, add(gIota, sIota)));
            sum = add(sum, mul(shares.atChi, _word(at + 128)));
            if (run.committed) {
                sum = add(sum, mul(shares.atZ, y));
                ok = _add(buffer, run.secondAt - 64, shares.atZ) && ok;
            }
            assembly ("memory-safe") {
                mstore(add(buffer, 64), 1)
                mstore(add(buffer, 96), 2)
            }
            ok = _addSummand(buffer, sub(0, sum)) && ok;
        }
    }

    /// @dev e(sum, G₂)·e(−W′, τ·G₂) = 1.
    function _pairing(Run memory run, uint256 buffer, bool before)
        private
        view
        returns (bool holds, bool ok)
    {
        uint256 tau = run.keyAt + Key.TAU;
        uint256 last = run.evaluationsAt - 64;
        uint256 pairs = buffer;
        ok = before;
        assembly ("memory-safe") {
            // G₂'s generator, imaginary parts first.
            mstore(
                add(pairs, 64),
                0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2
            )
            mstore(
                add(pairs, 96),
                0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed
            )
            mstore(
                add(pairs, 128),
                0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b
            )
            mstore(
                add(pairs, 160),
                0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa
            )
            calldatacopy(add(pairs, 192), last, 32)
            // Infinity stays (0, 0).
            mstore(add(pairs, 224), mod(sub(Q, calldataload(add(last, 32))), Q))
            calldatacopy(add(pairs, 256), tau, 128)
            mstore(0, 0)
            if ok { ok := staticcall(gas(), 8, pairs, 384, 0, 32) }
            holds := eq(mload(0), 1)
        }
    }

    /// @dev S(ι) = ζ·(left − 2(h(χ) + θ·v) − ζ·S(ζ)).
    function _sAtIota(Run memory run, uint256 zeta, Products memory products, uint256 value)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 at = run.evaluationsAt;
            uint256 left =
                add(mul(_word(at), products.lowIota), mul(_word(at + 32), products.lowZeta));
            uint256 second =
                add(mul(_word(at + 64), products.highIota), mul(_word(at + 96), products.highZeta));
            left = add(left, mul(run.theta, second));
            uint256 inner = add(_word(at + 128), mul(run.theta, value));
            left = sub(left, add(inner, inner));
            left = sub(left, mul(zeta, _word(at + 160)));
            return mul(zeta, left);
        }
    }

    /// @dev Π (1 − u + u·x^{2^k}), k = 0 for the last entry, over both parts of ρ at both places, by the lines of ρ.
    /// The first part has one entry more than the other where N is odd.
    function _products(Run memory run, uint256 x, uint256 y)
        private
        pure
        returns (Products memory products)
    {
        unchecked {
            uint256 t = 96 * (run.n / 2);
            uint256 start = run.rhoLines;
            uint256 low = start + 96 * run.n;
            assembly ("memory-safe") {
                let p := mload(MODULUS)
                let lowX := 1
                let lowY := 1
                let highX := 1
                let highY := 1
                let high := sub(low, t)
                for { let end := high } gt(low, end) {} {
                    low := sub(low, 96)
                    high := sub(high, 96)
                    let zero := mload(low)
                    let u := mload(add(low, 32))
                    lowX := mulmod(lowX, add(zero, mulmod(u, x, p)), p)
                    lowY := mulmod(lowY, add(zero, mulmod(u, y, p)), p)
                    zero := mload(high)
                    u := mload(add(high, 32))
                    highX := mulmod(highX, add(zero, mulmod(u, x, p)), p)
                    highY := mulmod(highY, add(zero, mulmod(u, y, p)), p)
                    x := mulmod(x, x, p)
                    y := mulmod(y, y, p)
                }
                if gt(high, start) {
                    let zero := mload(start)
                    let u := mload(add(start, 32))
                    highX := mulmod(highX, add(zero, mulmod(u, x, p)), p)
                    highY := mulmod(highY, add(zero, mulmod(u, y, p)), p)
                }
                mstore(products, lowX)
                mstore(add(products, 32), lowY)
                mstore(add(products, 64), highX)
                mstore(add(products, 96), highY)
                mstore(add(products, 128), x)
            }
        }
    }

    /// @dev Sum += scalar·(point in calldata).
    function _add(uint256 buffer, uint256 at, uint256 scalar) private view returns (bool) {
        assembly ("memory-safe") {
            calldatacopy(add(buffer, 64), at, 64)
        }
        return _addSummand(buffer, scalar);
    }

    function _addSummand(uint256 buffer, uint256 scalar) private view returns (bool ok) {
        assembly ("memory-safe") {
            let summand := add(buffer, 64)
            mstore(add(buffer, 128), scalar)
            ok := staticcall(gas(), 7, summand, 96, summand, 64)
            ok := and(staticcall(gas(), 6, buffer, 128, buffer, 64), ok)
        }
    }

    function _word(uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(at)
        }
    }
}
