// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SeedExpansion} from "./SeedExpansion.sol";
import {MODULUS, SumcheckField as Field, add, embed, mul} from "./SumcheckField.sol";
import {SumcheckKey as Key} from "./SumcheckKey.sol";
import {Run} from "./SumcheckRun.sol";

/// @title Which cells a term relates
/// @notice The wire of a term and of a copy, and the latent (`docs/protocol.md` §6.3), read from the
/// encoded key.
/// @dev Functions that read the key take and return the place in it. `scratch` is memory beyond everything
/// in use; nothing there outlives the function.
library SumcheckWiring {
    /// @notice Copies a list of slices of challenges side by side.
    /// @param to Where the point goes, in memory.
    function gather(Run memory run, uint256 at, uint256 to) internal pure returns (uint256 next) {
        uint256 slots = run.slots;
        assembly ("memory-safe") {
            let count := shr(248, calldataload(at))
            at := add(at, 1)
            for { next := add(at, shl(1, count)) } lt(at, next) { at := add(at, 2) } {
                let word := calldataload(at)
                let size := shl(5, byte(1, word))
                mcopy(to, add(slots, shl(5, byte(0, word))), size)
                to := add(to, size)
            }
        }
    }

    /// @notice eq of a list of slices of challenges, side by side, and of a point.
    /// @param point In memory.
    function eq(Run memory run, uint256 at, uint256 point)
        internal
        pure
        returns (uint256 product, uint256 next)
    {
        uint256 slots = run.slots;
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let k := add(add(p, p), 1)
            product := 1
            let count := shr(248, calldataload(at))
            at := add(at, 1)
            for { next := add(at, shl(1, count)) } lt(at, next) { at := add(at, 2) } {
                let word := calldataload(at)
                let from := add(slots, shl(5, byte(0, word)))
                let end := add(from, shl(5, byte(1, word)))
                // As `SumcheckField.eq`; two factors a turn, a single one first.
                if and(byte(1, word), 1) {
                    let x := mload(from)
                    let y := mload(point)
                    let xy := mulmod(x, y, p)
                    product := mulmod(product, add(add(xy, xy), sub(k, add(x, y))), p)
                    from := add(from, 32)
                    point := add(point, 32)
                }
                for {} lt(from, end) {} {
                    let x := mload(from)
                    let y := mload(point)
                    let xy := mulmod(x, y, p)
                    product := mulmod(product, add(add(xy, xy), sub(k, add(x, y))), p)
                    x := mload(add(from, 32))
                    y := mload(add(point, 32))
                    xy := mulmod(x, y, p)
                    product := mulmod(product, add(add(xy, xy), sub(k, add(x, y))), p)
                    from := add(from, 64)
                    point := add(point, 64)
                }
            }
        }
    }

    /// @notice eq(·, point) of all valid composite indices over a list of digits, row-major.
    /// @param base What the digits' slots count from, in memory.
    /// @param out Where the values go, in memory.
    /// @return count Their number.
    /// @return next The place behind the list.
    function table(uint256 base, uint256 at, uint256 out)
        internal
        pure
        returns (uint256 count, uint256 next)
    {
        unchecked {
            next = at + 1 + 6 * Key.u8(at);
            count = 1;
            assembly ("memory-safe") {
                mstore(out, 1)
            }
            for (++at; at < next; at += 6) {
                count = Field.expand(
                    out, count, base + 32 * Key.u8(at), Key.u8(at + 1), Key.u32(at + 2)
                );
            }
        }
    }

    /// @notice Π below(size, slice) over a list of digits, none of a size that is a power of two.
    /// @param base What the digits' slots count from, in memory.
    function below(uint256 base, uint256 at) internal pure returns (uint256 product, uint256 next) {
        unchecked {
            next = at + 1 + 6 * Key.u8(at);
            product = 1;
            for (++at; at < next; at += 6) {
                uint256 factor =
                    Field.below(Key.u32(at + 2), base + 32 * Key.u8(at), Key.u8(at + 1));
                product = mul(product, factor);
            }
        }
    }

    /// @notice The wire of a term: its groups and its kernel.
    function term(Run memory run, uint256 at, uint256 scratch)
        internal
        pure
        returns (uint256 wire, uint256 next)
    {
        unchecked {
            uint256 groups = Key.u8(at);
            wire = 1;
            for (++at; groups > 0; --groups) {
                wire = mul(wire, _group(run.slots, at));
                at += 4;
            }
            uint256 mode = Key.u8(at++);
            if (mode == 1) {
                uint256 factor;
                (factor, at) = _separateAxis(run, at, scratch);
                wire = mul(wire, factor);
                (factor, at) = _separateAxis(run, at, scratch);
                wire = mul(wire, factor);
            } else if (mode == 2) {
                uint256 factor;
                (factor, at) = _jointAxes(run, at, scratch);
                wire = mul(wire, factor);
            }
            next = at;
        }
    }

    /// @notice The wire of a copy: Σ over its elements of eq(r_j, output cell)·eq(b′, input cell).
    function copy(Run memory run, uint256 at, uint256 scratch)
        internal
        pure
        returns (uint256 wire, uint256 next)
    {
        unchecked {
            uint256 count;
            (count, at) = table(run.slots, at, scratch);
            uint256 inputs = scratch + 32 * count;
            (count, next) = table(run.slots, at, inputs);
            wire = Field.dot(scratch, inputs, count);
        }
    }

    /// @notice x~ of the latent at a point.
    /// @param point In memory.
    function latent(Run memory run, uint256 point, uint256 scratch)
        internal
        pure
        returns (uint256 value)
    {
        unchecked {
            uint256 at = run.keyAt + Key.u16(run.keyAt + Key.SECTIONS + 2);
            uint256 dimensions = Key.u16(run.keyAt + Key.SIZES + 8);
            uint256 rows = scratch + _expandSeed(run.seed, dimensions, scratch);
            uint256 count;
            (count, at) = table(point, at, rows);
            uint256 weights = rows + 32 * count;
            uint256 bits = Key.u8(at + 1);
            assembly ("memory-safe") {
                mstore(weights, 1)
            }
            Field.expand(weights, 1, point + 32 * Key.u8(at), bits, 1 << bits);
            int256 smallest = Key.i64(at + 2);
            uint256 total;
            assembly ("memory-safe") {
                let p := mload(MODULUS)
                let width := byte(10, calldataload(at))
                let entries := add(at, 11)
                let shift := sub(256, shl(3, width))
                let last := add(weights, shl(5, shl(bits, 1)))
                let end := add(scratch, dimensions)
                for { let row := rows } lt(scratch, end) { row := add(row, 32) } {
                    // The weights of a whole row add up to 1.
                    let used := 1
                    let rowEnd := add(weights, shl(5, sub(end, scratch)))
                    switch lt(rowEnd, last)
                    case 0 { rowEnd := last }
                    default {
                        used := 0
                        for { let from := weights } lt(from, rowEnd) { from := add(from, 32) } {
                            used := addmod(used, mload(from), p)
                        }
                    }
                    let sum := 0
                    for { let from := weights } lt(from, rowEnd) { from := add(from, 32) } {
                        let entry := add(entries, mul(byte(0, mload(scratch)), width))
                        let product := mulmod(mload(from), shr(shift, calldataload(entry)), p)
                        sum := addmod(sum, product, p)
                        scratch := add(scratch, 1)
                    }
                    value := addmod(value, mulmod(sum, mload(row), p), p)
                    total := addmod(total, mulmod(used, mload(row), p), p)
                }
            }
            value = add(value, mul(embed(smallest), total));
        }
    }

    /// @dev The bytes of the seed's expansion (`SeedExpansion`) at `out`; returns the memory they take.
    function _expandSeed(uint256 seed, uint256 dimensions, uint256 out)
        private
        pure
        returns (uint256 size)
    {
        bytes32 domain = SeedExpansion.SEED_DOMAIN;
        uint256 block_ = SeedExpansion.LIMB_BYTES;
        assembly ("memory-safe") {
            // Room for what the last block has too much.
            size := and(add(dimensions, 63), not(31))
            let end := add(out, size)
            mstore(end, domain)
            mstore(add(end, 32), seed)
            let index := 0
            for { let last := add(out, dimensions) } lt(out, last) { out := add(out, block_) } {
                mstore(add(end, 64), index)
                // The next block overwrites the byte of this one that is not used.
                mstore(out, keccak256(end, 96))
                index := add(index, 1)
            }
        }
    }

    /// @dev Π (r a b + (1 − r)(1 − a)(1 − b)) over a group's bits.
    function _group(uint256 slots, uint256 at) private pure returns (uint256 product) {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let one := add(p, 1)
            let word := calldataload(at)
            let r := add(slots, shl(5, byte(0, word)))
            let a := add(slots, shl(5, byte(1, word)))
            let b := add(slots, shl(5, byte(2, word)))
            product := 1
            for { let end := add(r, shl(5, byte(3, word))) } lt(r, end) { r := add(r, 32) } {
                let x := mload(r)
                let y := mload(a)
                let w := mload(b)
                let ones := mulmod(mulmod(x, y, p), w, p)
                let zeros := mulmod(mulmod(sub(one, x), sub(one, y), p), sub(one, w), p)
                product := mulmod(product, add(ones, zeros), p)
                a := add(a, 32)
                b := add(b, 32)
            }
        }
    }

    /// @dev Σ_k eq(kernel slice, k)·tap(k) of one axis.
    function _separateAxis(Run memory run, uint256 at, uint256 scratch)
        private
        pure
        returns (uint256 sum, uint256 next)
    {
        unchecked {
            uint256 slice = run.slots + 32 * Key.u8(at);
            uint256 bits = Key.u8(at + 1);
            uint256 size = Key.u16(at + 2);
            next = _taps(run, at + 4, size, scratch);
            uint256 kernel = scratch + 32 * size;
            assembly ("memory-safe") {
                mstore(kernel, 1)
            }
            Field.expand(kernel, 1, slice, bits, size);
            sum = Field.dot(scratch, kernel, size);
        }
    }

    /// @dev Σ_{k_y, k_x} eq(kernel slice, k_y·K_x + k_x)·tap_y(k_y)·tap_x(k_x).
    function _jointAxes(Run memory run, uint256 at, uint256 scratch)
        private
        pure
        returns (uint256 sum, uint256 next)
    {
        unchecked {
            uint256 slice = run.slots + 32 * Key.u8(at);
            uint256 bits = Key.u8(at + 1);
            uint256 sizeY = Key.u16(at + 2);
            uint256 sizeX = Key.u16(at + 4);
            at = _taps(run, at + 6, sizeY, scratch);
            uint256 tapsX = scratch + 32 * sizeY;
            next = _taps(run, at, sizeX, tapsX);
            uint256 kernel = tapsX + 32 * sizeX;
            assembly ("memory-safe") {
                mstore(kernel, 1)
            }
            Field.expand(kernel, 1, slice, bits, sizeY * sizeX);
            for (uint256 y = 0; y < sizeY; ++y) {
                uint256 tap;
                assembly ("memory-safe") {
                    tap := mload(add(scratch, shl(5, y)))
                }
                sum = add(sum, mul(tap, Field.dot(kernel, tapsX, sizeX)));
                kernel += 32 * sizeX;
            }
        }
    }

    /// @dev tap(k) for k < size, at `out`.
    function _taps(Run memory run, uint256 at, uint256 size, uint256 out)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            uint256 kind = Key.u8(at);
            if (kind == 0) {
                assembly ("memory-safe") {
                    mstore(out, 1)
                }
                return at + 1;
            }
            if (kind == 1) return _tapsByTable(run, at + 1, size, out);
            if (kind == 2) return _tapsByCarry(run, at + 1, size, out);
            return _tapsByShift(run, at + 1, size, out);
        }
    }

    /// @dev Sums over the driving index t, whose partner is t·stride + shift, for shifts of equal distance. A
    /// tap is such a sum times eq of the driven index's last bits, where these are split off.
    function _tapsByTable(Run memory run, uint256 at, uint256 size, uint256 out)
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
            uint256 sums = _lowBits(run, at, low);
            uint256 driving = sums + 32 * count;
            uint256 entries;
            (entries, at) = table(run.slots, at + 14, driving);
            uint256 driven = driving + 32 * entries;
            (entries, at) = table(run.slots, at, driven);
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
    function _lowBits(Run memory run, uint256 at, uint256 low)
        private
        pure
        returns (uint256 behind)
    {
        unchecked {
            uint256 bits = Key.u8(at + 1);
            assembly ("memory-safe") {
                mstore(low, 1)
            }
            if (bits > 0) Field.expand(low, 1, run.slots + 32 * Key.u8(at), bits, 1 << bits);
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
    function _tapsByCarry(Run memory run, uint256 at, uint256 size, uint256 out)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            uint256 bits = Key.u8(at + 10);
            uint256 points = out + 32 * size;
            next = gather(run, at + 15, points);
            next = gather(run, next, points + 32 * bits);
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
    /// eq(last bits, e) times S_m = Σ_i eq(driving, i)·eq(rest of driven, i + m). Bit by bit from the most
    /// significant, with S₁ and S₋₁ carrying:
    ///     S₀ ← e·S₀,   S₁ ← u·S₀ + v·S₁,   S₋₁ ← v·S₀ + u·S₋₁
    ///     u = (1 − g)·d,   v = g·(1 − d),   e = g·d + (1 − g)(1 − d)
    function _tapsByShift(Run memory run, uint256 at, uint256 size, uint256 out)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            uint256 bits = Key.u8(at);
            uint256 sums = out + 32 * size;
            uint256 low = sums + 96;
            uint256 points = _lowBits(run, at + 1, low);
            next = gather(run, at + 3, points);
            next = gather(run, next, points + 32 * bits);
            assembly ("memory-safe") {
                let p := mload(MODULUS)
                let one := add(p, 1)
                let same := 1
                let up := 0
                let down := 0
                let step := shl(5, bits)
                for { let end := add(points, step) } lt(points, end) { points := add(points, 32) } {
                    let g := mload(points)
                    let d := mload(add(points, step))
                    let both := mulmod(g, d, p)
                    // The products are below p: all of these are below 4p.
                    let e := add(add(both, both), sub(add(p, one), add(g, d)))
                    let u := add(d, sub(p, both))
                    let v := add(g, sub(p, both))
                    up := addmod(mulmod(u, same, p), mulmod(v, up, p), p)
                    down := addmod(mulmod(v, same, p), mulmod(u, down, p), p)
                    same := mulmod(same, e, p)
                }
                // S₋₁, S₀, S₁ lie side by side.
                mstore(sums, down)
                mstore(add(sums, 32), same)
                mstore(add(sums, 64), up)
            }
            next = _pick(next, size, out, low, sums);
        }
    }
}
