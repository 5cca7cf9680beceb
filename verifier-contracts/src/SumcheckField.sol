// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

// File-level, so that inline assembly of every part can name them.

/// @dev p, the order of the groups.
uint256 constant P = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

/// @dev q, the field of the coordinates.
uint256 constant Q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

/// @dev Where p lies in memory: the second word of the scratch space. The compiler makes of a constant of
/// 32 bytes either 33 bytes of code or 30 gas wherever it stands; a word of memory is 3 bytes and 6 gas.
/// Compiled code uses the scratch space for mappings and reverts only, and here is no mapping.
uint256 constant MODULUS = 0x20;

/// @dev Puts p into memory, before anything is computed.
function loadModulus() pure {
    assembly ("memory-safe") {
        mstore(MODULUS, P)
    }
}

/// @dev x·y mod p, of any words.
function mul(uint256 x, uint256 y) pure returns (uint256 z) {
    assembly ("memory-safe") {
        z := mulmod(x, y, mload(MODULUS))
    }
}

/// @dev x + y mod p, of any words.
function add(uint256 x, uint256 y) pure returns (uint256 z) {
    assembly ("memory-safe") {
        z := addmod(x, y, mload(MODULUS))
    }
}

/// @dev x − y mod p for y ≤ p.
function sub(uint256 x, uint256 y) pure returns (uint256 z) {
    assembly ("memory-safe") {
        let p := mload(MODULUS)
        z := addmod(x, sub(p, y), p)
    }
}

/// @dev A signed number mod p, of absolute value below p.
function embed(int256 x) pure returns (uint256 z) {
    assembly ("memory-safe") {
        z := x
        if slt(x, 0) { z := add(x, mload(MODULUS)) }
    }
}

/// @title Multilinear arithmetic over the scalar field of BN254
/// @notice The functions of `docs/protocol.md` §1 on points that lie in memory.
/// @dev A point is `count` words, most significant variable first. Arguments are reduced and so are
/// results, except where said otherwise.
///
/// What is evaluated at ρ again and again reads ρ as **lines**: three words a variable y, namely 1 − y, y and
/// 2y − 1. So eq(x, y) = (1 − y) + x·(2y − 1) takes one multiplication and one addition, and the factor of a bit
/// of an integer is the word that the bit counts.
library SumcheckField {
    /// @notice eq(a, b) = Π (ab + (1 − a)(1 − b)).
    /// @param a First point, in memory.
    /// @param b Lines of the second point, in memory.
    /// @param count Their number of variables.
    function eq(uint256 a, uint256 b, uint256 count) internal pure returns (uint256 product) {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            product := 1
            let end := add(a, shl(5, count))
            // Four factors a turn, the others first.
            for { let start := add(a, shl(5, and(count, 3))) } lt(a, start) {} {
                let factor := add(mload(b), mulmod(mload(a), mload(add(b, 64)), p))
                product := mulmod(product, factor, p)
                a := add(a, 32)
                b := add(b, 96)
            }
            for {} lt(a, end) {} {
                let factor := add(mload(b), mulmod(mload(a), mload(add(b, 64)), p))
                product := mulmod(product, factor, p)
                factor := add(
                    mload(add(b, 96)), mulmod(mload(add(a, 32)), mload(add(b, 160)), p)
                )
                product := mulmod(product, factor, p)
                factor := add(
                    mload(add(b, 192)), mulmod(mload(add(a, 64)), mload(add(b, 256)), p)
                )
                product := mulmod(product, factor, p)
                factor := add(
                    mload(add(b, 288)), mulmod(mload(add(a, 96)), mload(add(b, 352)), p)
                )
                product := mulmod(product, factor, p)
                a := add(a, 128)
                b := add(b, 384)
            }
        }
    }

    /// @notice Products of the last factors of eq(a, b): out[k] = eq of the last k variables.
    /// @param a End of the first point, in memory.
    /// @param b End of the lines of the second point, in memory.
    /// @param count Number of factors.
    /// @param out Where the `count` + 1 products go, in memory.
    function eqSuffixes(uint256 a, uint256 b, uint256 count, uint256 out) internal pure {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let product := 1
            mstore(out, product)
            for { let end := add(out, shl(5, count)) } lt(out, end) {} {
                a := sub(a, 32)
                b := sub(b, 96)
                let factor := add(mload(b), mulmod(mload(a), mload(add(b, 64)), p))
                product := mulmod(product, factor, p)
                out := add(out, 32)
                mstore(out, product)
            }
        }
    }

    /// @notice out[k] = Π_{i ≥ k} (1 − point_i) for k = 0 … count.
    /// @param point The point, in memory.
    /// @param count Number of variables.
    /// @param out Where the `count` + 1 products go, in memory.
    function zeroSuffixes(uint256 point, uint256 count, uint256 out) internal pure {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let one := add(p, 1)
            let product := 1
            let from := add(point, shl(5, count))
            out := add(out, shl(5, count))
            mstore(out, product)
            for {} gt(from, point) {} {
                from := sub(from, 32)
                out := sub(out, 32)
                product := mulmod(product, sub(one, mload(from)), p)
                mstore(out, product)
            }
        }
    }

    /// @notice The lines of a point, and a 1 behind them.
    /// @param point The point, in memory.
    /// @param count Number of variables.
    /// @param out Where the 3·`count` + 1 words go, in memory.
    function lines(uint256 point, uint256 count, uint256 out) internal pure {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let one := add(p, 1)
            let minusOne := sub(p, 1)
            for { let end := add(point, shl(5, count)) } lt(point, end) { point := add(point, 32) }
            {
                let y := mload(point)
                mstore(out, sub(one, y))
                mstore(add(out, 32), y)
                mstore(add(out, 64), add(add(y, y), minusOne))
                out := add(out, 96)
            }
            mstore(out, 1)
        }
    }

    /// @notice Products of factors of eq(integer, point), each of them an earlier product times four words of
    /// the point's lines. The key lists which; product 0 is 1.
    /// @param at The list in calldata: number (2), then for each the earlier product (2) and the words (1 each).
    /// @param words The lines, in memory.
    /// @return products Where the products are, in memory.
    function prefixes(uint256 at, uint256 words) internal pure returns (uint256 products) {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            products := mload(0x40)
            mstore(products, 1)
            let out := add(products, 32)
            let end := add(out, shl(5, shr(240, calldataload(at))))
            for { at := add(at, 2) } lt(out, end) { at := add(at, 6) } {
                let entry := calldataload(at)
                let product := mload(add(products, shl(5, shr(240, entry))))
                product := mulmod(product, mload(add(words, shl(5, byte(2, entry)))), p)
                product := mulmod(product, mload(add(words, shl(5, byte(3, entry)))), p)
                product := mulmod(product, mload(add(words, shl(5, byte(4, entry)))), p)
                product := mulmod(product, mload(add(words, shl(5, byte(5, entry)))), p)
                mstore(out, product)
                out := add(out, 32)
            }
            mstore(0x40, out)
        }
    }

    /// @notice Π (1 − x_i) over a point: eq(0, point).
    function zeroProduct(uint256 point, uint256 count) internal pure returns (uint256 product) {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let one := add(p, 1)
            product := 1
            for { let end := add(point, shl(5, count)) } lt(point, end) { point := add(point, 32) }
            { product := mulmod(product, sub(one, mload(point)), p) }
        }
    }

    /// @notice eq(index, point) for an integer, of which the last `count` bits count.
    function eqIndex(uint256 index, uint256 point, uint256 count)
        internal
        pure
        returns (uint256 product)
    {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let one := add(p, 1)
            product := 1
            for { let at := add(point, shl(5, count)) } gt(at, point) {} {
                at := sub(at, 32)
                let x := mload(at)
                // x where the bit is 1, 1 − x where it is 0
                let y := sub(one, x)
                product := mulmod(product, xor(y, mul(xor(x, y), and(index, 1))), p)
                index := shr(1, index)
            }
        }
    }

    /// @notice below(size, point) = Σ_{i < size} eq(i, point), for size < 2^count.
    function below(uint256 size, uint256 point, uint256 count) internal pure returns (uint256 sum) {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let one := add(p, 1)
            // The sum over the variables seen, from the last on, below the last bits of `size`.
            for { let at := add(point, shl(5, count)) } gt(at, point) {} {
                at := sub(at, 32)
                let x := mload(at)
                let zero := sub(one, x)
                switch and(size, 1)
                case 0 { sum := mulmod(zero, sum, p) }
                default { sum := addmod(zero, mulmod(x, sum, p), p) }
                size := shr(1, size)
            }
        }
    }

    /// @notice Σ_{d < size} base^d · eq(d, point), for size ≤ 2^count.
    /// @dev From the last variable on: `full` is the sum over all d of the variables seen, `part` over
    /// those below the last bits of `size`.
    function geometric(uint256 size, uint256 base, uint256 point, uint256 count)
        internal
        pure
        returns (uint256 sum)
    {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let one := add(p, 1)
            let full := 1
            let part := 0
            let rest := size
            for { let at := add(point, shl(5, count)) } gt(at, point) {} {
                at := sub(at, 32)
                let x := mload(at)
                let zero := sub(one, x)
                let scaled := mulmod(x, base, p)
                switch and(rest, 1)
                case 0 { part := mulmod(zero, part, p) }
                default { part := addmod(mulmod(zero, full, p), mulmod(scaled, part, p), p) }
                full := mulmod(add(zero, scaled), full, p)
                base := mulmod(base, base, p)
                rest := shr(1, rest)
            }
            sum := part
            if rest { sum := full }
        }
    }

    /// @notice base^exponent.
    function power(uint256 base, uint256 exponent) internal pure returns (uint256 result) {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            result := 1
            for {} exponent { exponent := shr(1, exponent) } {
                if and(exponent, 1) { result := mulmod(result, base, p) }
                base := mulmod(base, base, p)
            }
        }
    }

    /// @notice Replaces `count` values v at `table` by v_i · eq(j, point) at index j·count + i, j < size.
    /// @dev From the last variable on, so that each doubles what is there, and the first one, where values beyond
    /// `size` are left out, comes last. A table of one value has the value 1.
    /// @param table The values, in memory, with room for count·size.
    /// @param count Their number.
    /// @param point Point of `bits` variables, in memory.
    /// @param size More than 2^(bits − 1), at most 2^bits.
    /// @return grown count · size
    function expand(uint256 table, uint256 count, uint256 point, uint256 bits, uint256 size)
        internal
        pure
        returns (uint256 grown)
    {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let one := add(p, 1)
            grown := mul(count, size)
            let limit := shl(5, grown)
            let used := shl(5, count)
            let from := add(point, shl(5, bits))
            if eq(used, shl(5, iszero(iszero(bits)))) {
                from := sub(from, 32)
                let x := mload(from)
                mstore(table, sub(one, x))
                mstore(add(table, 32), x)
                used := 64
            }
            for {} gt(from, point) {} {
                from := sub(from, 32)
                let x := mload(from)
                let y := sub(one, x)
                // What is beyond the limit is left out.
                let pairs := sub(limit, used)
                if gt(pairs, used) { pairs := used }
                let at := table
                if and(pairs, 32) {
                    let value := mload(at)
                    mstore(add(at, used), mulmod(value, x, p))
                    mstore(at, mulmod(value, y, p))
                    at := add(at, 32)
                }
                for { let end := add(table, pairs) } lt(at, end) { at := add(at, 64) } {
                    let value := mload(at)
                    mstore(add(at, used), mulmod(value, x, p))
                    mstore(at, mulmod(value, y, p))
                    let second := add(at, 32)
                    value := mload(second)
                    mstore(add(second, used), mulmod(value, x, p))
                    mstore(second, mulmod(value, y, p))
                }
                for { let end := add(table, used) } lt(at, end) { at := add(at, 32) } {
                    mstore(at, mulmod(mload(at), y, p))
                }
                used := add(used, pairs)
            }
        }
    }

    /// @notice Σ_j v_j · eq(j, point) over `size` values at `table`, which are overwritten.
    /// @dev From the first variable on, each halving the table.
    /// @param size At most 2^count.
    function fold(uint256 table, uint256 size, uint256 point, uint256 count)
        internal
        pure
        returns (uint256 sum)
    {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let one := add(p, 1)
            switch eq(count, 2)
            case 1 {
                // Three or four values are what most kernels have.
                let x := mload(add(point, 32))
                let y := sub(one, x)
                let low := add(mulmod(mload(table), y, p), mulmod(mload(add(table, 32)), x, p))
                let high := mulmod(mload(add(table, 64)), y, p)
                if gt(size, 3) { high := add(high, mulmod(mload(add(table, 96)), x, p)) }
                x := mload(point)
                sum := addmod(mulmod(low, sub(one, x), p), mulmod(high, x, p), p)
            }
            default {
                let used := shl(5, size)
                for { let half := shl(count, 16) } gt(half, 16) { half := shr(1, half) } {
                    let x := mload(point)
                    let y := sub(one, x)
                    point := add(point, 32)
                    let at := table
                    if gt(used, half) {
                        for { let both := add(table, sub(used, half)) } lt(at, both) {
                            at := add(at, 32)
                        } {
                            let high := mulmod(mload(add(at, half)), x, p)
                            mstore(at, add(mulmod(mload(at), y, p), high))
                        }
                        used := half
                    }
                    for { let end := add(table, used) } lt(at, end) { at := add(at, 32) } {
                        mstore(at, mulmod(mload(at), y, p))
                    }
                }
                sum := mod(mload(table), p)
            }
        }
    }

    /// @notice Σ a_i · b_i over `count` words of memory.
    function dot(uint256 a, uint256 b, uint256 count) internal pure returns (uint256 sum) {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let end := add(a, shl(5, count))
            // Four a turn, whose products are added up before they are reduced; what is left over first.
            for { let start := add(a, shl(5, and(count, 3))) } lt(a, start) { a := add(a, 32) } {
                sum := add(sum, mulmod(mload(a), mload(b), p))
                b := add(b, 32)
            }
            for {} lt(a, end) { a := add(a, 128) } {
                let first := mulmod(mload(a), mload(b), p)
                let second := mulmod(mload(add(a, 32)), mload(add(b, 32)), p)
                let third := mulmod(mload(add(a, 64)), mload(add(b, 64)), p)
                let fourth := mulmod(mload(add(a, 96)), mload(add(b, 96)), p)
                sum := addmod(sum, add(add(first, second), add(third, fourth)), p)
                b := add(b, 128)
            }
            sum := mod(sum, p)
        }
    }
}
