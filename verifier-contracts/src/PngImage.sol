// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Pixels as a PNG file
/// @notice Lossless and shown by everything that shows images: 8 bits a sample, no palette, no colour
/// profile. The samples are stored, not compressed, as compression costs gas and is not needed: a file is
/// the samples, one byte a row and 68 bytes.
/// @dev PNG (W3C, third edition) with one IDAT chunk, in it a zlib stream (RFC 1950) with one stored
/// block (RFC 1951, 3.2.4), whose length has 16 bits.
library PngImage {
    /// @dev Bytes of a file without the rows.
    uint256 private constant FRAME_BYTES = 68;

    /// @dev Where the chunk IDAT's type and the first row begin.
    uint256 private constant DATA_TYPE = 37;
    uint256 private constant ROWS = 48;

    /// @dev The most that a stored block holds.
    uint256 private constant BLOCK_LIMIT = 65_535;

    /// @dev Largest prime below 2^16, the modulus of Adler-32.
    uint256 private constant ADLER_MODULUS = 65_521;

    /// @dev The polynomial of CRC-32, lowest bit first.
    uint256 private constant CRC_POLYNOMIAL = 0xedb88320;

    /// @notice PNG has no images with this number of channels.
    error ChannelsUnsupported(uint256 channels);
    /// @notice The rows, with one byte more each, do not fit into one stored block.
    error ImageTooLarge(uint256 size, uint256 limit);
    /// @notice There are not height × width × channels samples, or none.
    error SampleCountInvalid(uint256 samples, uint256 expected);

    /// @notice The PNG file of an image.
    /// @param samples One byte each, row-major height × width × channels.
    /// @param height Rows.
    /// @param width Pixels a row.
    /// @param channels 1 (grey), 3 (RGB) or 4 (RGBA).
    /// @return file The file's bytes.
    function encode(bytes memory samples, uint256 height, uint256 width, uint256 channels)
        internal
        pure
        returns (bytes memory file)
    {
        uint256 colourType = _colourType(channels);
        uint256 count = height * width * channels;
        if (samples.length != count || count == 0) {
            revert SampleCountInvalid(samples.length, count);
        }
        uint256 size = count + height;
        if (size > BLOCK_LIMIT) revert ImageTooLarge(size, BLOCK_LIMIT);

        file = new bytes(FRAME_BYTES + size);
        uint256 start;
        assembly ("memory-safe") {
            start := add(file, 32)
        }
        uint256[256] memory table = _crcTable();
        // Signature; length, type and data of IHDR: width, height, depth, colour type, three zeros.
        _write(start, 8, 0x89504e470d0a1a0a);
        _write(start + 8, 8, 0x0000000d49484452);
        _write(start + 16, 8, (width << 32) | height);
        _write(start + 24, 5, (8 << 32) | (colourType << 24));
        _write(start + 29, 4, _crc32(table, start + 12, 17));
        // Length and type of IDAT; zlib header; last block, stored; its length and the complement.
        _write(start + 33, 8, ((size + 11) << 32) | 0x49444154);
        uint256 length = (size & 0xff) << 8 | size >> 8;
        _write(start + 41, 7, 0x780101 << 32 | length << 16 | (length ^ 0xffff));
        _copyRows(start + ROWS, samples, width * channels);
        _write(start + ROWS + size, 4, _adler32(start + ROWS, size));
        _write(start + 52 + size, 4, _crc32(table, start + DATA_TYPE, size + 15));
        _write(start + 56 + size, 12, 0x0000000049454e44ae426082);
    }

    function _colourType(uint256 channels) private pure returns (uint256) {
        if (channels == 1) return 0;
        if (channels == 3) return 2;
        if (channels == 4) return 6;
        revert ChannelsUnsupported(channels);
    }

    /// @dev Writes the last `size` bytes of a number to memory that still holds zeros there.
    function _write(uint256 to, uint256 size, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(to, or(mload(to), shl(sub(256, shl(3, size)), value)))
        }
    }

    /// @dev Every row after a zero byte, which says that the row is not filtered.
    function _copyRows(uint256 to, bytes memory samples, uint256 rowBytes) private pure {
        assembly ("memory-safe") {
            let from := add(samples, 32)
            for { let end := add(from, mload(samples)) } lt(from, end) {
                from := add(from, rowBytes)
            } {
                mcopy(add(to, 1), from, rowBytes)
                to := add(to, add(rowBytes, 1))
            }
        }
    }

    /// @dev Σ dᵢ + 1 and Σ (n − i)·dᵢ + n, both below 2^64 here, so they are reduced once.
    function _adler32(uint256 from, uint256 size) private pure returns (uint256) {
        uint256 a = 1;
        uint256 b = 0;
        assembly ("memory-safe") {
            // The last byte of the word that starts 31 bytes earlier.
            from := sub(from, 31)
            for { let end := add(from, size) } lt(from, end) { from := add(from, 1) } {
                a := add(a, and(mload(from), 0xff))
                b := add(b, a)
            }
        }
        return (b % ADLER_MODULUS) << 16 | a % ADLER_MODULUS;
    }

    function _crc32(uint256[256] memory table, uint256 from, uint256 size)
        private
        pure
        returns (uint256 crc)
    {
        crc = 0xffffffff;
        assembly ("memory-safe") {
            from := sub(from, 31)
            for { let end := add(from, size) } lt(from, end) { from := add(from, 1) } {
                let entry := shl(5, and(xor(crc, mload(from)), 0xff))
                crc := xor(shr(8, crc), mload(add(table, entry)))
            }
        }
        crc ^= 0xffffffff;
    }

    /// @dev Entry i is the remainder of i·x^8. Entries are linear in i: from those of single bits, each
    /// the previous one times x, follow all others.
    function _crcTable() private pure returns (uint256[256] memory table) {
        uint256 remainder = 1;
        for (uint256 bit = 128; bit > 0; bit >>= 1) {
            remainder = (remainder >> 1) ^ (remainder & 1) * CRC_POLYNOMIAL;
            for (uint256 i = 0; i < 256; i += 2 * bit) {
                table[bit + i] = remainder ^ table[i];
            }
        }
    }
}
