// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Encoding of a sumcheck key
/// @notice The key of `docs/protocol.md` §2 as bytes, written by `encode-sumcheck-key.ts`. Numbers are
/// big-endian. The encoder has checked everything that §3.6 refuses, and the key is in the code of the
/// model's contract: it is trusted here.
///
/// | offset | bytes | content |
/// |---|---|---|
/// | 0 | 32 | digest of the JSON key |
/// | 32 | 128 | τ·G₂ |
/// | 160 | 1 each | N, 1 where a commitment binds the image + 2 where there are conditions, columns of the first, second and key group, L, limbBits, n_A, n_C (255: no copies), n_T, n₁, n₂, R |
/// | 173 | 2 each | V, image height, width, channels, latent dimensions |
/// | 183 | 2 each | where the sections segments, latent, image, nodes, commitments, prefixes at ρ, prefixes at s start |
/// | 197 | 3 each | column and prefix of the regions q, out, rem_l, h_e, m, g, T_out, copy |
/// | last of the sections | 64 each | commitments of the key group |
/// | last | 2 | where the conditions start, if there are any |
///
/// Lists start with their length in one byte. A **slot** is an index into the challenges r ‖ a ‖ b ‖ s ‖
/// (zeros) ‖ ρ ‖ 0. A **slice** is a slot and a length; a **digit** is a slot, a number of bits (1 byte
/// each) and a size (4 bytes). Digits of valid~ and of the latent count from the start of their point. Digits of
/// one index are listed from the innermost on.
///
/// A **prefix** is eq(bits of an offset, entries of ρ or s), shared by all that lies below the offset. A region's
/// prefix is that of its column's bits, a block's that of its region's; it is given by its number (2) in the
/// list of its section:
///
/// - prefixes at s start with the number of entries of s of which they need lines (1)
/// - prefixes: number (2); each is an earlier one (2; 0 is the empty one, which is not listed) times four words (1
///   each) of the lines of the point (`SumcheckField.lines`): 3·i for 1 − y_i, 3·i + 1 for y_i, the word behind
///   the lines for 1
///
/// A **place** is a space (1), a column of it (1), a prefix at ρ (2) and a number of bits (1); a block of more bits than ρ
/// starts at the column. Spaces: 0 public (the column is then 0 for the latent, i + 1 for condition i), 1 out, 2 copy, 3
/// key group.
///
/// - segments: list of bits (1), prefix at s (2), first (8, signed)
/// - latent: list of digits of the index less its last bits; slot and number of those bits; smallest entry
///   (8, signed), bytes an entry (1), 256 entries less the smallest
/// - conditions: list of 0 for a label or 1 for a vector (1), classes or dimensions (3), bytes of the rest (2), and
///   the digits of a label, for a vector the same as of the latent
/// - image: place; list of factors Σ_{d < size} z^{exponent·d}·eq(d, ·): exponent (4), size (4), slot (1), bits
///   (1); for pixels also 1, slot, bits (1 each), size (4) of the bytes of a row, or 0 and digits of columns, of
///   channels
/// - nodes: number (2), then one after the other
///     - affine: 0 (1), bits, column (1 each), prefixes at ρ, at s (2 each), shift (1), multiplier (7), tags (2 each, L
///       + 1), list of digits that can be invalid; bias: 0 (1), or place, list of slices, and 1 where it is masked as
///       the node is, or 0 and the list of digits outside; list of terms
///     - copy: 1 (1), bits, column (1 each), prefix at ρ (2), input: place, digits of the output, digits of the input
/// - term: place of the weight, list of slices; variables in phase one (1); place of the input, list of slices;
///   variables in phase two (1); list of groups: slots in r, a, b and length; kernel: 0 none, 1 one slice an axis, 2
///   one for both
///     - 1: for y and x: slice, size (2), axis
///     - 2: slice, sizes (2 each), axes
/// - axis: how the taps come about, see `SumcheckTaps`
///     - 0: one tap of value 1
///     - 1, by tables: slot and number of the driven index's last bits that are split off, stride (3), first
///       shift (4, signed), distance of shifts (3), their number (2), digits of the driving index and of the
///       rest of the driven one; for every tap the last bits and the number of its shift (1 each)
///     - 2, powers of two by carries: stride, dilation (3 each), pad (4, signed), bits (1), carries below zero
///       (2), carries (2), slices of the driving and of the driven index
///     - 3, by shifts from −1 to 1: bits (1), slot and number of the driven index's last bits, number of values (4; 0
///       where it is 2^bits), last bits of the first tap above shift −1 (1), their distance (1), slices of the driving
///       index and of the rest of the driven one
library SumcheckKey {
    uint256 internal constant DIGEST = 0;
    uint256 internal constant TAU = 32;
    uint256 internal constant NUMBERS = 160;
    uint256 internal constant SIZES = 173;
    uint256 internal constant SECTIONS = 183;
    uint256 internal constant REGIONS = 197;

    /// @dev n_C of a key without copies.
    uint256 internal constant NO_COPY = 255;

    /// @dev Bits of the byte behind N.
    uint256 internal constant COMMITTED = 1;
    uint256 internal constant CONDITIONED = 2;

    uint256 internal constant SPACE_PUBLIC = 0;
    uint256 internal constant SPACE_OUTPUT = 1;
    uint256 internal constant SPACE_COPY = 2;
    uint256 internal constant SPACE_KEY = 3;

    /// @notice One byte at a place in calldata.
    function u8(uint256 at) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(248, calldataload(at))
        }
    }

    /// @notice Two bytes.
    function u16(uint256 at) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(240, calldataload(at))
        }
    }

    /// @notice Three bytes.
    function u24(uint256 at) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(232, calldataload(at))
        }
    }

    /// @notice Four bytes.
    function u32(uint256 at) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, calldataload(at))
        }
    }

    /// @notice Five bytes.
    function u40(uint256 at) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(216, calldataload(at))
        }
    }

    /// @notice Seven bytes.
    function u56(uint256 at) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(200, calldataload(at))
        }
    }

    /// @notice Four bytes, two's complement.
    function i32(uint256 at) internal pure returns (int256 value) {
        assembly ("memory-safe") {
            value := sar(224, calldataload(at))
        }
    }

    /// @notice Eight bytes, two's complement.
    function i64(uint256 at) internal pure returns (int256 value) {
        assembly ("memory-safe") {
            value := sar(192, calldataload(at))
        }
    }
}
