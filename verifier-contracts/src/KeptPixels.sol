// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SSTORE2} from "solady/src/utils/SSTORE2.sol";
import {IImageVerifier} from "./IImageVerifier.sol";
import {IPixelVerifier} from "./IPixelVerifier.sol";
import {PngImage} from "./PngImage.sol";

/// @title Proven pixels, kept on chain
/// @notice The pixels are the code of a contract that does nothing (SSTORE2), 200 gas a byte, which
/// nobody can change or remove.
library KeptPixels {
    /// @notice Where the pixels are, and the image's size: one word of storage.
    /// @param pointer The contract whose code they are; the zero address while none are kept.
    /// @param height Rows.
    /// @param width Pixels a row.
    /// @param channels 1 (grey), 3 (RGB) or 4 (RGBA).
    struct Picture {
        address pointer;
        uint16 height;
        uint16 width;
        uint8 channels;
    }

    /// @dev The most that a contract's code holds (EIP-170) beside the byte that keeps it from being run.
    uint256 internal constant SIZE_LIMIT = 24_575;

    /// @notice The verifier's image hash is not the keccak256 of pixels, so pixels cannot be compared
    /// with it.
    error PixelsNotComparable(address verifier);
    /// @notice The pixels are not those of the image that was proven.
    error PixelsNotProven(bytes32 imageHash, bytes32 pixelsHash);
    /// @notice The model's images are too large to be kept.
    error PixelsTooLarge(uint256 size, uint256 limit);
    /// @notice The pixels are kept already.
    error PixelsAlreadyKept(address pointer);
    /// @notice The verifier's image size is not that of the pixels that it accepted, or of no image.
    error ImageSizeInvalid(uint256 height, uint256 width, uint256 channels, uint256 samples);

    /// @notice Keeps the pixels of a proven image.
    /// @param picture Where to note them; must be empty.
    /// @param verifier The verifier that accepted the image.
    /// @param imageHash The hash that it returned.
    /// @param pixels Row-major height × width × channels, one byte each.
    /// @return pointer The contract whose code they are now.
    function keep(
        Picture storage picture,
        IImageVerifier verifier,
        bytes32 imageHash,
        bytes calldata pixels
    ) internal returns (address pointer) {
        if (picture.pointer != address(0)) {
            revert PixelsAlreadyKept(picture.pointer);
        }
        (uint256 height, uint256 width, uint256 channels) = _imageSize(verifier);
        bytes32 pixelsHash = keccak256(pixels);
        if (pixelsHash != imageHash) revert PixelsNotProven(imageHash, pixelsHash);
        uint256 size = pixels.length;
        if (size > SIZE_LIMIT) revert PixelsTooLarge(size, SIZE_LIMIT);
        bool known = channels == 1 || channels == 3 || channels == 4;
        if (!known || size == 0 || height * width * channels != size) {
            revert ImageSizeInvalid(height, width, channels, size);
        }
        pointer = SSTORE2.write(pixels);
        picture.pointer = pointer;
        // Their product is below 2^16 and none of them is zero.
        // forge-lint: disable-start(unsafe-typecast)
        picture.height = uint16(height);
        picture.width = uint16(width);
        picture.channels = uint8(channels);
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @notice The kept pixels.
    /// @param picture Where they are.
    /// @return pixels Row-major height × width × channels; empty when none are kept.
    function read(Picture memory picture) internal view returns (bytes memory pixels) {
        if (picture.pointer != address(0)) pixels = SSTORE2.read(picture.pointer);
    }

    /// @notice The kept pixels as a PNG file.
    /// @param picture Where they are.
    /// @return file The file's bytes; empty when none are kept.
    function png(Picture memory picture) internal view returns (bytes memory file) {
        if (picture.pointer == address(0)) return file;
        return PngImage.encode(read(picture), picture.height, picture.width, picture.channels);
    }

    function _imageSize(IImageVerifier verifier)
        private
        view
        returns (uint256 height, uint256 width, uint256 channels)
    {
        try IPixelVerifier(address(verifier)).imageSize() returns (
            uint256 height_, uint256 width_, uint256 channels_
        ) {
            return (height_, width_, channels_);
        } catch {
            revert PixelsNotComparable(address(verifier));
        }
    }
}
