// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MODULUS, SumcheckField as Field, mul} from "./SumcheckField.sol";
import {SumcheckKey as Key} from "./SumcheckKey.sol";

/// @title Lists of slices and digits
/// @notice Points that are put together from challenges, as the encoded key lists them.
/// @dev The functions take and return the place in the key. `slots` is where the challenges are, in memory.
library SumcheckSlices {
    /// @notice Copies a list of slices of challenges side by side.
    /// @param to Where the point goes, in memory.
    function gather(uint256 slots, uint256 at, uint256 to) internal pure returns (uint256 next) {
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

    /// @notice A list of slices side by side: where it is if it is one slice, else a copy.
    /// @param to Where a copy goes, in memory.
    function point(uint256 slots, uint256 at, uint256 to)
        internal
        pure
        returns (uint256 from, uint256 next)
    {
        assembly ("memory-safe") {
            let word := calldataload(at)
            from := add(slots, shl(5, byte(1, word)))
            next := add(at, 3)
            if iszero(eq(byte(0, word), 1)) { from := 0 }
        }
        if (from == 0) return (to, gather(slots, at, to));
    }

    /// @notice eq of a list of slices of challenges, side by side, and of a point.
    /// @param lines The point's lines, in memory.
    function eq(uint256 slots, uint256 at, uint256 lines)
        internal
        pure
        returns (uint256 product, uint256 next)
    {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            product := 1
            let count := shr(248, calldataload(at))
            at := add(at, 1)
            for { next := add(at, shl(1, count)) } lt(at, next) { at := add(at, 2) } {
                let word := calldataload(at)
                let from := add(slots, shl(5, byte(0, word)))
                let end := add(from, shl(5, byte(1, word)))
                // As `SumcheckField.eq`; four factors a turn, the others first.
                for { let start := add(from, shl(5, and(byte(1, word), 3))) } lt(from, start) {} {
                    let factor := add(mload(lines), mulmod(mload(from), mload(add(lines, 64)), p))
                    product := mulmod(product, factor, p)
                    from := add(from, 32)
                    lines := add(lines, 96)
                }
                for {} lt(from, end) {} {
                    let factor := add(mload(lines), mulmod(mload(from), mload(add(lines, 64)), p))
                    product := mulmod(product, factor, p)
                    factor := add(
                        mload(add(lines, 96)),
                        mulmod(mload(add(from, 32)), mload(add(lines, 160)), p)
                    )
                    product := mulmod(product, factor, p)
                    factor := add(
                        mload(add(lines, 192)),
                        mulmod(mload(add(from, 64)), mload(add(lines, 256)), p)
                    )
                    product := mulmod(product, factor, p)
                    factor := add(
                        mload(add(lines, 288)),
                        mulmod(mload(add(from, 96)), mload(add(lines, 352)), p)
                    )
                    product := mulmod(product, factor, p)
                    from := add(from, 128)
                    lines := add(lines, 384)
                }
            }
        }
    }

    /// @notice eq(·, point) of all valid composite indices over a list of digits, row-major.
    /// @dev The list starts with the innermost digit.
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
}
