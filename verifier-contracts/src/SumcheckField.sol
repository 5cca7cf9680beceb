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
library SumcheckField {
    /// @notice eq(a, b) = Π (ab + (1 − a)(1 − b)).
    /// @param a First point, in memory.
    /// @param b Second point, in memory.
    /// @param count Their number of variables.
    function eq(uint256 a, uint256 b, uint256 count) internal pure returns (uint256 product) {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let k := add(add(p, p), 1)
            product := 1
            let end := add(a, shl(5, count))
            // Two factors a turn; a single one first.
            if and(count, 1) {
                let x := mload(a)
                let y := mload(b)
                let xy := mulmod(x, y, p)
                // 1 + 2xy − x − y, below 4p + 2
                product := add(add(xy, xy), sub(k, add(x, y)))
                a := add(a, 32)
                b := add(b, 32)
            }
            for {} lt(a, end) {} {
                let x := mload(a)
                let y := mload(b)
                let xy := mulmod(x, y, p)
                product := mulmod(product, add(add(xy, xy), sub(k, add(x, y))), p)
                x := mload(add(a, 32))
                y := mload(add(b, 32))
                xy := mulmod(x, y, p)
                product := mulmod(product, add(add(xy, xy), sub(k, add(x, y))), p)
                a := add(a, 64)
                b := add(b, 64)
            }
            product := mod(product, p)
        }
    }

    /// @notice Products of the last factors of eq(a, b): out[k] = eq of the last k variables.
    /// @param a End of the first point, in memory.
    /// @param b End of the second point, in memory.
    /// @param count Number of factors.
    /// @param out Where the `count` + 1 products go, in memory.
    function eqSuffixes(uint256 a, uint256 b, uint256 count, uint256 out) internal pure {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let k := add(add(p, p), 1)
            let product := 1
            mstore(out, product)
            for { let end := add(out, shl(5, count)) } lt(out, end) {} {
                a := sub(a, 32)
                b := sub(b, 32)
                let x := mload(a)
                let y := mload(b)
                let xy := mulmod(x, y, p)
                product := mulmod(product, add(add(xy, xy), sub(k, add(x, y))), p)
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

    /// @notice 1 − x and x side by side for every variable x of a point, as `prefix` reads them.
    /// @param point The point, in memory.
    /// @param count Number of variables.
    /// @param out Where the 2·`count` words go, in memory.
    function pairs(uint256 point, uint256 count, uint256 out) internal pure {
        assembly ("memory-safe") {
            let one := add(mload(MODULUS), 1)
            for { let end := add(point, shl(5, count)) } lt(point, end) { point := add(point, 32) }
            {
                let x := mload(point)
                mstore(out, sub(one, x))
                mstore(add(out, 32), x)
                out := add(out, 64)
            }
        }
    }

    /// @notice eq(index, point) for an integer, of which the last `count` bits count.
    /// @param index The integer.
    /// @param point What `pairs` made of the point, in memory.
    function prefix(uint256 index, uint256 point, uint256 count)
        internal
        pure
        returns (uint256 product)
    {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            product := 1
            // The bit that counts has the value 32: it is the place of its factor in the pair.
            index := shl(5, index)
            let at := add(point, shl(6, count))
            if and(count, 1) {
                at := sub(at, 64)
                product := mload(add(at, and(index, 32)))
                index := shr(1, index)
            }
            for {} gt(at, point) {} {
                product := mulmod(product, mload(add(sub(at, 64), and(index, 32))), p)
                at := sub(at, 128)
                product := mulmod(product, mload(add(at, and(shr(1, index), 32))), p)
                index := shr(2, index)
            }
            product := mod(product, p)
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

    /// @notice Replaces `count` values v at `table` by v_i · eq(j, point) at index i·size + j, j < size.
    /// @param table The values, in memory, with room for count·2^bits.
    /// @param count Their number.
    /// @param point Point of `bits` variables, in memory.
    /// @param size At most 2^bits.
    /// @return grown count · size
    function expand(uint256 table, uint256 count, uint256 point, uint256 bits, uint256 size)
        internal
        pure
        returns (uint256 grown)
    {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let one := add(p, 1)
            grown := count
            for { let end := add(point, shl(5, bits)) } lt(point, end) { point := add(point, 32) } {
                let x := mload(point)
                let y := sub(one, x)
                // From the last on, so that nothing is overwritten before it is read; two a turn.
                let to := add(table, shl(6, grown))
                let from := add(table, shl(5, grown))
                if and(grown, 1) {
                    from := sub(from, 32)
                    to := sub(to, 64)
                    let value := mload(from)
                    mstore(to, mulmod(value, y, p))
                    mstore(add(to, 32), mulmod(value, x, p))
                }
                for {} gt(from, table) {} {
                    let value := mload(sub(from, 32))
                    mstore(sub(to, 64), mulmod(value, y, p))
                    mstore(sub(to, 32), mulmod(value, x, p))
                    from := sub(from, 64)
                    to := sub(to, 128)
                    value := mload(from)
                    mstore(to, mulmod(value, y, p))
                    mstore(add(to, 32), mulmod(value, x, p))
                }
                grown := shl(1, grown)
            }
            let padded := shl(bits, 1)
            if lt(size, padded) {
                let from := table
                let to := table
                for { let end := add(table, shl(5, grown)) } lt(from, end) {} {
                    mcopy(to, from, shl(5, size))
                    from := add(from, shl(5, padded))
                    to := add(to, shl(5, size))
                }
                grown := mul(count, size)
            }
        }
    }

    /// @notice Σ a_i · b_i over `count` words of memory.
    function dot(uint256 a, uint256 b, uint256 count) internal pure returns (uint256 sum) {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            for { let end := add(a, shl(5, count)) } lt(a, end) { a := add(a, 32) } {
                sum := addmod(sum, mulmod(mload(a), mload(b), p), p)
                b := add(b, 32)
            }
        }
    }
}
