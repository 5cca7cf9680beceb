// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IImageVerifier} from "./IImageVerifier.sol";

/// @title Verifier that is given the pixels themselves
/// @notice `image` of `verifyImage` is the pixels, one byte a sample, row-major height × width ×
/// channels, and the image hash that it returns is their keccak256. So whoever has pixels with that hash
/// has the proven image.
/// @dev A verifier whose `image` is a digest must not have this function: a string that hashes to that
/// digest need not be the image.
interface IPixelVerifier is IImageVerifier {
    /// @notice Size of the images.
    /// @return height Rows.
    /// @return width Pixels a row.
    /// @return channels 1 (grey), 3 (RGB) or 4 (RGBA).
    function imageSize() external view returns (uint256 height, uint256 width, uint256 channels);
}
