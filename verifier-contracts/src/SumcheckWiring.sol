// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SeedExpansion} from "./SeedExpansion.sol";
import {MODULUS, SumcheckField as Field, add, embed, mul} from "./SumcheckField.sol";
import {SumcheckKey as Key} from "./SumcheckKey.sol";
import {Run} from "./SumcheckRun.sol";
import {SumcheckSlices as Slices} from "./SumcheckSlices.sol";
import {SumcheckTaps as Taps} from "./SumcheckTaps.sol";

/// @title Which cells a term relates
/// @notice The wire of a term and of a copy, and the latent (`docs/protocol.md` §6.3), read from the
/// encoded key.
/// @dev Functions that read the key take and return the place in it. `scratch` is memory beyond everything
/// in use; nothing there outlives the function.
library SumcheckWiring {
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
            if (mode != 0) {
                uint256 factor;
                (factor, at) = mode == 1
                    ? Taps.separate(run.slots, at, scratch)
                    : Taps.joint(run.slots, at, scratch);
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
            (count, at) = Slices.table(run.slots, at, scratch);
            uint256 inputs = scratch + 32 * count;
            (count, next) = Slices.table(run.slots, at, inputs);
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
            return lookUp(at, dimensions, point, scratch, rows);
        }
    }

    /// @notice Σ_j eq(j, point)·table[byte_j].
    /// @param at The table in the key, as that of the latent.
    /// @param dimensions Number of the bytes.
    /// @param point In memory.
    /// @param scratch Where the bytes are, in memory.
    /// @param rows Memory beyond everything in use, 32 bytes behind the last byte or further.
    function lookUp(uint256 at, uint256 dimensions, uint256 point, uint256 scratch, uint256 rows)
        internal
        pure
        returns (uint256 value)
    {
        unchecked {
            uint256 count;
            (count, at) = Slices.table(point, at, rows);
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
                let row := rows
                // Whole rows, four entries a turn. The weights of a whole row add up to 1.
                if gt(bits, 1) {
                    for { let whole := add(scratch, and(dimensions, not(sub(shl(bits, 1), 1)))) }
                    lt(scratch, whole) {} {
                        let sum := 0
                        for { let from := weights } lt(from, last) { from := add(from, 128) } {
                            let bytes_ := mload(scratch)
                            scratch := add(scratch, 4)
                            let entry :=
                                shr(shift, calldataload(add(entries, mul(byte(0, bytes_), width))))
                            let four := mulmod(mload(from), entry, p)
                            entry := shr(
                                shift,
                                calldataload(add(entries, mul(byte(1, bytes_), width)))
                            )
                            four := add(four, mulmod(mload(add(from, 32)), entry, p))
                            entry := shr(
                                shift,
                                calldataload(add(entries, mul(byte(2, bytes_), width)))
                            )
                            four := add(four, mulmod(mload(add(from, 64)), entry, p))
                            entry := shr(
                                shift,
                                calldataload(add(entries, mul(byte(3, bytes_), width)))
                            )
                            four := add(four, mulmod(mload(add(from, 96)), entry, p))
                            sum := addmod(sum, four, p)
                        }
                        value := addmod(value, mulmod(sum, mload(row), p), p)
                        total := addmod(total, mload(row), p)
                        row := add(row, 32)
                    }
                }
                for {} lt(scratch, end) { row := add(row, 32) } {
                    let used := 0
                    let sum := 0
                    for { let from := weights } and(lt(from, last), lt(scratch, end)) {
                        from := add(from, 32)
                    } {
                        let entry := add(entries, mul(byte(0, mload(scratch)), width))
                        let product := mulmod(mload(from), shr(shift, calldataload(entry)), p)
                        sum := addmod(sum, product, p)
                        used := addmod(used, mload(from), p)
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
}
