// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MODULUS} from "./SumcheckField.sol";
import {SumcheckKey as Key} from "./SumcheckKey.sol";
import {Run} from "./SumcheckRun.sol";

/// @title What stands for the image
/// @notice The image hash (`docs/protocol.md` §3.5) and the value of the image's claim (§6.5).
library SumcheckImage {
    bytes32 private constant DOMAIN = keccak256("platemark.image.kzg.v1");

    /// @notice `image` does not have as many bytes as the image has pixel values, or the hash has.
    error ImageLengthInvalid(uint256 length, uint256 expected);
    /// @notice The image's commitment in the proof has another hash than the statement's.
    error ImageHashMismatch(bytes32 hash, bytes32 expected);

    /// @notice The image hash, of pixels or of the commitment in the proof.
    /// @param run Made by `SumcheckTranscript.open`.
    /// @param image The pixels, or the hash that the commitment must have.
    function hash(Run memory run, bytes calldata image) internal pure returns (bytes32 imageHash) {
        unchecked {
            uint256 sizes = run.keyAt + Key.SIZES;
            uint256 height = Key.u16(sizes + 2);
            uint256 width = Key.u16(sizes + 4);
            uint256 channels = Key.u16(sizes + 6);
            if (!run.committed) {
                uint256 size = height * width * channels;
                if (image.length != size) revert ImageLengthInvalid(image.length, size);
                assembly ("memory-safe") {
                    let at := mload(0x40)
                    calldatacopy(at, image.offset, size)
                    imageHash := keccak256(at, size)
                }
                return imageHash;
            }
            if (image.length != 32) revert ImageLengthInvalid(image.length, 32);
            uint256 commitment = run.secondAt - 64;
            bytes32 domain = DOMAIN;
            assembly ("memory-safe") {
                let at := mload(0x40)
                mstore(at, domain)
                mstore(add(at, 32), height)
                mstore(add(at, 64), width)
                mstore(add(at, 96), channels)
                calldatacopy(add(at, 128), commitment, 64)
                // Version 1 in place of the first byte.
                imageHash := or(shr(8, shl(8, keccak256(at, 192))), shl(248, 1))
            }
            if (imageHash != bytes32(image)) revert ImageHashMismatch(imageHash, bytes32(image));
        }
    }

    /// @notice Σ z^i·P_i over the 16-byte words of the pixels, or y.
    /// @param run All challenges drawn.
    /// @param image The pixels, of the right length; not read for a commitment.
    function value(Run memory run, bytes calldata image) internal pure returns (uint256 sum) {
        unchecked {
            uint256 at = run.sumAt + 32;
            if (run.committed) {
                assembly ("memory-safe") {
                    sum := calldataload(at)
                }
                return sum;
            }
            uint256 sizes = run.keyAt + Key.SIZES;
            uint256 row = Key.u16(sizes + 4) * Key.u16(sizes + 6);
            uint256 z = run.z;
            if (row % 32 == 0) return _aligned(image, z);
            uint256 rows = Key.u16(sizes + 2);
            assembly ("memory-safe") {
                let p := mload(MODULUS)
                // Bytes of a row's last word, and where that word starts.
                let last := add(mod(sub(row, 1), 16), 1)
                let start := sub(row, last)
                let cut := shl(3, sub(16, last))
                at := add(image.offset, mul(row, rows))
                for {} rows { rows := sub(rows, 1) } {
                    at := sub(at, row)
                    let word := add(at, start)
                    let packed := shl(cut, shr(add(128, cut), calldataload(word)))
                    sum := add(mulmod(sum, z, p), packed)
                    for {} gt(word, at) {} {
                        word := sub(word, 16)
                        sum := add(mulmod(sum, z, p), shr(128, calldataload(word)))
                    }
                }
                sum := mod(sum, p)
            }
        }
    }

    /// @dev Rows of whole pairs of words: no rows need to be told apart. Sums stay below p + 2^128.
    function _aligned(bytes calldata image, uint256 z) private pure returns (uint256 sum) {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let start := image.offset
            let at := add(start, image.length)
            // Four pairs a turn; what is left over first.
            for { let end := sub(at, and(image.length, 127)) } gt(at, end) {} {
                at := sub(at, 32)
                let words := calldataload(at)
                sum := add(mulmod(sum, z, p), shr(128, shl(128, words)))
                sum := add(mulmod(sum, z, p), shr(128, words))
            }
            for {} gt(at, start) {} {
                let words := calldataload(sub(at, 32))
                sum := add(mulmod(sum, z, p), shr(128, shl(128, words)))
                sum := add(mulmod(sum, z, p), shr(128, words))
                words := calldataload(sub(at, 64))
                sum := add(mulmod(sum, z, p), shr(128, shl(128, words)))
                sum := add(mulmod(sum, z, p), shr(128, words))
                words := calldataload(sub(at, 96))
                sum := add(mulmod(sum, z, p), shr(128, shl(128, words)))
                sum := add(mulmod(sum, z, p), shr(128, words))
                at := sub(at, 128)
                words := calldataload(at)
                sum := add(mulmod(sum, z, p), shr(128, shl(128, words)))
                sum := add(mulmod(sum, z, p), shr(128, words))
            }
            sum := mod(sum, p)
        }
    }
}
