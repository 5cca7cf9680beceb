// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MODULUS, SumcheckField as Field, add, mul} from "./SumcheckField.sol";
import {SumcheckKey as Key} from "./SumcheckKey.sol";
import {SumcheckSlices as Slices} from "./SumcheckSlices.sol";

/// @title Which indices of an axis a kernel relates
/// @notice The kernel's factor of a term's wire (`docs/protocol.md` §6.3):
/// Σ_k eq(kernel slice, k)·tap_y(k_y)·tap_x(k_x), where tap(k) sums eq(driving, i)·eq(driven, j) over the pairs with
/// j = i·stride + k·dilation − pad. The driving index is the output's, or the input's where the axis is transposed.
/// @dev The key says how taps are computed. `scratch` is memory beyond everything in use.
library SumcheckTaps {
    /// @notice The factor where both kernel axes have slices of their own: a product of two sums.
    function separate(uint256 slots, uint256 at, uint256 scratch)
        internal
        pure
        returns (uint256 product, uint256 next)
    {
        unchecked {
            product = 1;
            for (uint256 axis = 0; axis < 2; ++axis) {
                uint256 slice = slots + 32 * Key.u8(at);
                uint256 bits = Key.u8(at + 1);
                uint256 size = Key.u16(at + 2);
                at = _taps(slots, at + 4, size, scratch);
                product = mul(product, Field.fold(scratch, size, slice, bits));
            }
            next = at;
        }
    }

    /// @notice The factor where one slice holds k_y·K_x + k_x.
    function joint(uint256 slots, uint256 at, uint256 scratch)
        internal
        pure
        returns (uint256 sum, uint256 next)
    {
        unchecked {
            uint256 slice = slots + 32 * Key.u8(at);
            uint256 bits = Key.u8(at + 1);
            uint256 sizeY = Key.u16(at + 2);
            uint256 sizeX = Key.u16(at + 4);
            at = _taps(slots, at + 6, sizeY, scratch);
            uint256 tapsX = scratch + 32 * sizeY;
            next = _taps(slots, at, sizeX, tapsX);
            uint256 kernel = tapsX + 32 * sizeX;
            assembly ("memory-safe") {
                mstore(kernel, 1)
            }
            Field.expand(kernel, 1, slice, bits, sizeY * sizeX);
            for (uint256 end = tapsX; scratch < end; scratch += 32) {
                uint256 tap;
                assembly ("memory-safe") {
                    tap := mload(scratch)
                }
                sum = add(sum, mul(tap, Field.dot(kernel, tapsX, sizeX)));
                kernel += 32 * sizeX;
            }
        }
    }

    /// @dev tap(k) for k < size, at `out`.
    function _taps(uint256 slots, uint256 at, uint256 size, uint256 out)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            uint256 kind = Key.u8(at);
            if (kind == 3) return _tapsByShift(slots, at + 1, size, out);
            if (kind == 2) return _tapsByCarry(slots, at + 1, size, out);
            if (kind == 1) return _tapsByTable(slots, at + 1, size, out);
            assembly ("memory-safe") {
                mstore(out, 1)
            }
            return at + 1;
        }
    }

    /// @dev Sums over the driving index t, whose partner is t·stride + shift, for shifts of equal distance. A
    /// tap is such a sum times eq of the driven index's last bits, where these are split off.
    function _tapsByTable(uint256 slots, uint256 at, uint256 size, uint256 out)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            uint256 stride = Key.u24(at + 2);
            int256 shift = Key.i32(at + 5);
            uint256 step = Key.u24(at + 9);
            uint256 count = Key.u16(at + 12);
            uint256 low = out + 32 * size;
            uint256 sums = _lowBits(slots, at, low);
            uint256 driving = sums + 32 * count;
            uint256 entries;
            (entries, at) = Slices.table(slots, at + 14, driving);
            uint256 driven = driving + 32 * entries;
            (entries, at) = Slices.table(slots, at, driven);
            assembly ("memory-safe") {
                let p := mload(MODULUS)
                let end := add(driven, shl(5, entries))
                let far := shl(5, stride)
                let to := sums
                for { let last := add(sums, shl(5, count)) } lt(to, last) { to := add(to, 32) } {
                    let t := 0
                    if slt(shift, 0) {
                        t := div(add(sub(0, shift), sub(stride, 1)), stride)
                    }
                    let a := add(driving, shl(5, t))
                    let b := add(driven, shl(5, add(mul(t, stride), shift)))
                    let sum := 0
                    for {} and(lt(a, driven), lt(b, end)) {} {
                        sum := addmod(sum, mulmod(mload(a), mload(b), p), p)
                        a := add(a, 32)
                        b := add(b, far)
                    }
                    mstore(to, sum)
                    shift := add(shift, step)
                }
            }
            next = _pick(at, size, out, low, sums);
        }
    }

    /// @dev eq(·, slice) of the slice at `at`; returns the place behind.
    function _lowBits(uint256 slots, uint256 at, uint256 low)
        private
        pure
        returns (uint256 behind)
    {
        unchecked {
            uint256 bits = Key.u8(at + 1);
            assembly ("memory-safe") {
                mstore(low, 1)
            }
            if (bits > 0) Field.expand(low, 1, slots + 32 * Key.u8(at), bits, 1 << bits);
            behind = low + (32 << bits);
        }
    }

    /// @dev tap(k) = low[e_k]·sums[m_k], the pairs of indices being in the key.
    function _pick(uint256 at, uint256 size, uint256 out, uint256 low, uint256 sums)
        private
        pure
        returns (uint256 next)
    {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            for { next := add(at, shl(1, size)) } lt(at, next) { at := add(at, 2) } {
                let word := calldataload(at)
                let tap := mload(add(low, shl(5, byte(0, word))))
                mstore(out, mulmod(tap, mload(add(sums, shl(5, byte(1, word)))), p))
                out := add(out, 32)
            }
        }
    }

    /// @dev The same where both indices have all values of their bits: bit by bit, from the most
    /// significant. With c the carry into a bit, values[c] is the sum over the bits seen of the pairs with
    /// driven = driving·stride + c. The two digits g and d of a bit satisfy
    /// d = (g·stride + c) mod 2 and hand on (g·stride + c − d)/2.
    function _tapsByCarry(uint256 slots, uint256 at, uint256 size, uint256 out)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            uint256 bits = Key.u8(at + 10);
            uint256 points = out + 32 * size;
            next = Slices.gather(slots, at + 15, points);
            next = Slices.gather(slots, next, points + 32 * bits);
            assembly ("memory-safe") {
                let p := mload(MODULUS)
                let one := add(p, 1)
                let word := calldataload(at)
                let stride := shr(232, word)
                let low := and(shr(152, word), 0xffff)
                let count := and(shr(136, word), 0xffff)
                let size32 := shl(5, bits)
                let weights := add(points, shl(1, size32))
                // values[c − cmin], twice: what is read and what is written
                let read := add(weights, 128)
                let write := add(read, shl(5, count))
                calldatacopy(read, calldatasize(), shl(5, count))
                mstore(add(read, shl(5, low)), 1)
                for { let end := add(points, size32) } lt(points, end) { points := add(points, 32) }
                {
                    {
                        let g := mload(points)
                        let d := mload(add(points, size32))
                        let both := mulmod(g, d, p)
                        mstore(weights, add(sub(one, g), add(both, sub(p, d))))
                        mstore(add(weights, 32), add(d, sub(p, both)))
                        mstore(add(weights, 64), add(g, sub(p, both)))
                        mstore(add(weights, 96), both)
                    }
                    let carry := sub(0, low)
                    let to := write
                    for { let last := add(write, shl(5, count)) } lt(to, last) { to := add(to, 32) }
                    {
                        let other := add(carry, stride)
                        let zero :=
                            mulmod(
                                mload(add(weights, shl(5, and(carry, 1)))),
                                mload(add(read, shl(5, add(sar(1, carry), low)))),
                                p
                            )
                        let other_ :=
                            mulmod(
                                mload(add(weights, add(64, shl(5, and(other, 1))))),
                                mload(add(read, shl(5, add(sar(1, other), low)))),
                                p
                            )
                        mstore(to, addmod(zero, other_, p))
                        carry := add(carry, 1)
                    }
                    to := read
                    read := write
                    write := to
                }
                // tap(k) is the value of carry k·dilation − pad
                let dilation := and(shr(208, word), 0xffffff)
                let pad := signextend(3, shr(176, word))
                let from := add(read, shl(5, sub(low, pad)))
                for { let last := add(out, shl(5, size)) } lt(out, last) { out := add(out, 32) } {
                    mstore(out, mload(from))
                    from := add(from, shl(5, dilation))
                }
            }
        }
    }

    /// @dev The same where the stride is 2^a and carries are small. With k·dilation − pad = 2^a·m + e, the
    /// driven index has the last a bits e, and the rest of it is the driving index plus m. So tap(k) is
    /// eq(last bits, e) times S_m = Σ_i eq(driving, i)·eq(rest of driven, i + m).
    function _tapsByShift(uint256 slots, uint256 at, uint256 size, uint256 out)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            uint256 bits = Key.u8(at);
            uint256 values = Key.u32(at + 3);
            // S₋₁, S₀, S₁
            uint256 sums = out + 32 * size;
            uint256 low = sums + 96;
            uint256 driving = _lowBits(slots, at + 1, low);
            uint256 driven = driving + 32 * bits;
            (driving, next) = Slices.point(slots, at + 9, driving);
            (driven, next) = Slices.point(slots, next, driven);
            if (values == 0) _shifts(driving, driven, bits, sums);
            else _boundedShifts(driving, driven, bits, values, sums);
            assembly ("memory-safe") {
                let p := mload(MODULUS)
                let word := calldataload(at)
                // 2^a·(m + 1) + e, times 32
                let index := shl(5, byte(7, word))
                let step := shl(5, byte(8, word))
                let a := byte(2, word)
                let mask := sub(shl(a, 32), 32)
                if and(size, 1) {
                    let sum := mload(add(sums, and(shr(a, index), 96)))
                    mstore(out, mulmod(mload(add(low, and(index, mask))), sum, p))
                    index := add(index, step)
                    out := add(out, 32)
                }
                for { let end := sums } lt(out, end) { out := add(out, 64) } {
                    let sum := mload(add(sums, and(shr(a, index), 96)))
                    mstore(out, mulmod(mload(add(low, and(index, mask))), sum, p))
                    index := add(index, step)
                    sum := mload(add(sums, and(shr(a, index), 96)))
                    mstore(add(out, 32), mulmod(mload(add(low, and(index, mask))), sum, p))
                    index := add(index, step)
                }
            }
        }
    }

    /// @dev S₋₁, S₀, S₁ over all indices of some bits. Bit by bit from the most significant, with g and d the bits'
    /// variables, S₁ and S₋₁ carrying:
    ///     S₀ ← e·S₀,   S₁ ← u·S₀ + v·S₁,   S₋₁ ← v·S₀ + u·S₋₁
    ///     u = (1 − g)·d,   v = g·(1 − d),   e = g·d + (1 − g)(1 − d) = 1 − u − v
    function _shifts(uint256 driving, uint256 driven, uint256 bits, uint256 sums) private pure {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let double := add(p, p)
            let same := 1
            let up := 0
            let down := 0
            for { let end := add(driving, shl(5, bits)) } lt(driving, end) {} {
                let v := mload(driving)
                let u := mload(driven)
                let both := sub(p, mulmod(u, v, p))
                v := add(v, both)
                u := add(u, both)
                let toUp := mulmod(u, same, p)
                let toDown := mulmod(v, same, p)
                up := add(toUp, mulmod(v, up, p))
                down := add(toDown, mulmod(u, down, p))
                same := addmod(same, sub(double, add(toUp, toDown)), p)
                driving := add(driving, 32)
                driven := add(driven, 32)
            }
            mstore(sums, down)
            mstore(add(sums, 32), same)
            mstore(add(sums, 64), up)
        }
    }

    /// @dev The same over indices below `values`, which is no power of two. Of S₋₁ and S₀ it bounds the driving
    /// index, of S₁ the driven one: the other is no larger. Each sum is kept apart for indices whose bits are
    /// below those of `values` (names as above) and equal to them (`…Tight`): a 0 where `values` has a 1 goes from
    /// tight to below, a 1 where it has a 0 ends.
    function _boundedShifts(
        uint256 driving,
        uint256 driven,
        uint256 bits,
        uint256 values,
        uint256 sums
    ) private pure {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let same := 0
            let up := 0
            let down := 0
            let sameTight := 1
            let upTight := 0
            let downTight := 0
            values := shl(sub(256, bits), values)
            for { let end := add(driving, shl(5, bits)) } lt(driving, end) {
                driving := add(driving, 32)
            } {
                let v := mload(driving)
                let u := mload(driven)
                let ones := mulmod(u, v, p)
                v := add(v, sub(p, ones))
                u := add(u, sub(p, ones))
                let toUp := mulmod(u, same, p)
                let toDown := mulmod(v, same, p)
                switch slt(values, 0)
                case 0 {
                    up := add(toUp, mulmod(v, up, p))
                    down := add(toDown, mulmod(u, down, p))
                    upTight := mulmod(v, upTight, p)
                    downTight := mulmod(u, downTight, p)
                    same := addmod(same, sub(add(p, p), add(toUp, toDown)), p)
                    // (1 − g)(1 − d) = 1 − g·d − u − v, below 5p
                    let zeros := sub(add(shl(2, p), 1), add(ones, add(u, v)))
                    sameTight := mulmod(sameTight, zeros, p)
                }
                default {
                    up := add(toUp, mulmod(v, add(up, upTight), p))
                    down := add(toDown, mulmod(u, add(down, downTight), p))
                    upTight := mulmod(u, sameTight, p)
                    downTight := mulmod(v, sameTight, p)
                    // Tight are as many as go to below, up or down, and stay.
                    let stays := mulmod(sameTight, ones, p)
                    toUp := add(add(toUp, upTight), add(toDown, downTight))
                    same := addmod(add(same, sameTight), sub(mul(5, p), add(toUp, stays)), p)
                    sameTight := stays
                }
                values := shl(1, values)
                driven := add(driven, 32)
            }
            mstore(sums, down)
            mstore(add(sums, 32), same)
            mstore(add(sums, 64), up)
        }
    }
}
