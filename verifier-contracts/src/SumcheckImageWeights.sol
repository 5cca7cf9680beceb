// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MODULUS, SumcheckField as Field, mul} from "./SumcheckField.sol";
import {SumcheckKey as Key} from "./SumcheckKey.sol";
import {Run} from "./SumcheckRun.sol";
import {SumcheckSlices as Slices} from "./SumcheckSlices.sol";

/// @title The image's weights at ρ
/// @notice `docs/protocol.md` §7.3, as the encoded key says.
library SumcheckImageWeights {
    /// @notice The weights at the end of ρ.
    /// @param keyAt Place in the key, behind the image's place.
    function at(Run memory run, uint256 keyAt) internal pure returns (uint256 weight) {
        unchecked {
            weight = 1;
            uint256 z = run.z;
            uint256 slots = run.slots;
            uint256 count = Key.u8(keyAt++);
            for (; count > 0; --count) {
                uint256 base = Field.power(z, Key.u32(keyAt));
                uint256 factor = Field.geometric(
                    Key.u32(keyAt + 4), base, slots + 32 * Key.u8(keyAt + 8), Key.u8(keyAt + 9)
                );
                weight = mul(weight, factor);
                keyAt += 10;
            }
            if (run.committed) return weight;
            if (Key.u8(keyAt++) == 1) {
                uint256 point = slots + 32 * Key.u8(keyAt);
                return mul(weight, _row(z, Key.u32(keyAt + 2), point, Key.u8(keyAt + 1)));
            }
            uint256 columns;
            assembly ("memory-safe") {
                columns := mload(0x40)
            }
            (count, keyAt) = Slices.table(slots, keyAt, columns);
            uint256 channels = columns + 32 * count;
            (count,) = Slices.table(slots, keyAt, channels);
            return mul(weight, _packed(z, columns, channels, count));
        }
    }

    /// @dev Σ_{o < size} z^{⌊o/16⌋}·256^{15 − o mod 16}·eq(o, point), where o is one index. As
    /// `SumcheckField.geometric`, from the last bit on: one of the last four multiplies where it is 0, by 256^{2^k},
    /// one before them where it is 1, by z^{2^k}.
    function _row(uint256 z, uint256 size, uint256 point, uint256 bits)
        private
        pure
        returns (uint256 sum)
    {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let one := add(p, 1)
            let full := 1
            let end := add(point, shl(5, bits))
            let within := sub(end, 128)
            // 256^{2^k}, below 2^65
            let base := 256
            for { let at_ := end } gt(at_, point) {} {
                at_ := sub(at_, 32)
                let high := mload(at_)
                let low := sub(one, high)
                switch lt(at_, within)
                case 0 {
                    low := mulmod(low, base, p)
                    base := mul(base, base)
                }
                default {
                    high := mulmod(high, z, p)
                    z := mulmod(z, z, p)
                }
                switch and(size, 1)
                case 0 { sum := mulmod(low, sum, p) }
                default { sum := addmod(mulmod(low, full, p), mulmod(high, sum, p), p) }
                full := mulmod(full, add(low, high), p)
                size := shr(1, size)
            }
            // A row of 2^bits bytes has no bit below it.
            if size { sum := full }
        }
    }

    /// @dev Σ over columns and channels of eq's at `columns` and `channels`, the latter lying behind the former.
    /// Words by Horner; whole pixels of a word have the weight of their channels in common.
    function _packed(uint256 z, uint256 columns, uint256 channels, uint256 width)
        private
        pure
        returns (uint256 packed)
    {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let end := add(channels, shl(5, width))
            let pixel := 0
            for { let c := channels } lt(c, end) { c := add(c, 32) } {
                pixel := addmod(mulmod(pixel, 256, p), mload(c), p)
            }
            // 256^channels, of pixels of which a word can hold several
            let scale := shl(shl(3, width), 1)
            let power := 1
            let word := 0
            let free := 16
            for {} lt(columns, channels) {} {
                // Whole pixels that the word still takes.
                let left := sub(channels, columns)
                let run := shl(5, div(free, width))
                if gt(run, left) { run := left }
                if run {
                    let sum := 0
                    for { let last := add(columns, run) } lt(columns, last) {
                        columns := add(columns, 32)
                    } { sum := add(mulmod(sum, scale, p), mload(columns)) }
                    let bytes_ := mul(shr(5, run), width)
                    word := add(mulmod(word, shl(shl(3, bytes_), 1), p), mulmod(sum, pixel, p))
                    free := sub(free, bytes_)
                }
                // One that is cut.
                if and(lt(columns, channels), gt(free, 0)) {
                    for { let c := channels } lt(c, end) { c := add(c, 32) } {
                        if iszero(free) {
                            packed := addmod(packed, mulmod(power, word, p), p)
                            power := mulmod(power, z, p)
                            word := 0
                            free := 16
                        }
                        word := add(mulmod(word, 256, p), mulmod(mload(columns), mload(c), p))
                        free := sub(free, 1)
                    }
                    columns := add(columns, 32)
                }
                if iszero(free) {
                    packed := addmod(packed, mulmod(power, word, p), p)
                    power := mulmod(power, z, p)
                    word := 0
                    free := 16
                }
            }
            if lt(free, 16) {
                word := mulmod(word, shl(shl(3, free), 1), p)
                packed := addmod(packed, mulmod(power, word, p), p)
            }
        }
    }
}
