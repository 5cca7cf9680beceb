// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IImageVerifier} from "platemark/IImageVerifier.sol";
import {IPixelVerifier} from "platemark/IPixelVerifier.sol";

/// @title A verifier of pixels whose proofs anybody can make
/// @dev In the shape of the sumcheck verifier in calldata mode: the image is its pixels, proofs are long
/// and bound to seed, pixels and context.
contract MockPixelVerifier is IPixelVerifier {
    bytes32 public immutable modelId;
    uint256 private immutable HEIGHT;
    uint256 private immutable WIDTH;
    uint256 private immutable CHANNELS;

    uint256 private constant PROOF_LENGTH = 6432;

    error PixelCountInvalid(uint256 length, uint256 expected);

    constructor(bytes32 modelId_, uint256 height, uint256 width, uint256 channels) {
        (modelId, HEIGHT, WIDTH, CHANNELS) = (modelId_, height, width, channels);
    }

    function proofSystem() external pure returns (bytes4) {
        return bytes4(keccak256("sumcheck-bn254-v2"));
    }

    function verifyingKeyHash() external pure returns (bytes32) {
        return keccak256("key");
    }

    function imageSize() external view virtual returns (uint256, uint256, uint256) {
        return (HEIGHT, WIDTH, CHANNELS);
    }

    function verifyImage(uint256 seed, bytes calldata image, bytes32 context, bytes calldata proof)
        external
        view
        returns (bytes32 imageHash)
    {
        uint256 expected = HEIGHT * WIDTH * CHANNELS;
        if (image.length != expected) revert PixelCountInvalid(image.length, expected);
        imageHash = keccak256(image);
        if (keccak256(proof) != keccak256(prove(seed, imageHash, context))) revert ProofInvalid();
    }

    function prove(uint256 seed, bytes32 imageHash, bytes32 context)
        public
        view
        returns (bytes memory proof)
    {
        proof = new bytes(PROOF_LENGTH);
        bytes32 word = keccak256(abi.encode(modelId, seed, imageHash, context));
        for (uint256 at = 32; at <= PROOF_LENGTH; at += 32) {
            assembly {
                mstore(add(proof, at), word)
            }
        }
    }
}

/// @dev Says another size than the one it verifies.
contract MisstatedPixelVerifier is MockPixelVerifier {
    constructor(bytes32 modelId) MockPixelVerifier(modelId, 4, 4, 3) {}

    function imageSize() external pure override returns (uint256, uint256, uint256) {
        return (4, 4, 4);
    }
}
