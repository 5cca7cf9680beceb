// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

/// @title Metadata as data URIs
/// @notice What people have chosen (names, descriptions, URIs) is escaped; everything else is hex or
/// decimal digits. So no name can add a field to the JSON or an element to the card.
library TokenMetadata {
    using Strings for uint256;
    using Strings for string;

    /// @notice What the metadata of a token is made from.
    /// @param collection The collection's name.
    /// @param description The collection's description.
    /// @param imageBaseUri Where pictures are; empty for the card.
    /// @param modelId The model.
    /// @param seed The seed.
    /// @param conditions What was chosen besides the seed; empty for a model that takes nothing else.
    /// @param imageHash Hash of the image.
    /// @param png The image as a PNG file; empty when its pixels are not kept.
    struct Token {
        string collection;
        string description;
        string imageBaseUri;
        bytes32 modelId;
        uint256 seed;
        bytes conditions;
        bytes32 imageHash;
        bytes png;
    }

    /// @notice Metadata of a token in ERC-7007's schema.
    /// @param token What it is made from.
    /// @return uri data:application/json;base64,…
    function tokenUri(Token memory token) internal pure returns (string memory uri) {
        string memory modelId = _hex(token.modelId);
        string memory seed = token.seed.toString();
        string memory imageHash = _hex(token.imageHash);
        bytes memory prompt = abi.encode(token.modelId, token.seed);
        string memory chosen;
        // Names and files of tokens of one seed differ.
        string memory choice = seed;
        if (token.conditions.length != 0) {
            prompt = abi.encode(token.modelId, token.seed, token.conditions);
            string memory conditions = Strings.toHexString(token.conditions);
            choice = string.concat(seed, "-", conditions);
            chosen = string.concat('"},{"trait_type":"Conditions","value":"', conditions);
        }
        string memory head = string.concat(
            '{"name":"',
            string.concat(token.collection, " ", choice).escapeJSON(),
            '","description":"',
            token.description.escapeJSON(),
            '","image":"',
            _picture(token, modelId, choice)
        );
        return _json(
            string.concat(
                head,
                '","prompt":"',
                Strings.toHexString(prompt),
                '","aigc_type":"image","aigc_data":"',
                imageHash,
                '","proof_type":"validity","attributes":[{"trait_type":"Model","value":"',
                modelId,
                '"},{"trait_type":"Seed","value":"',
                seed,
                chosen,
                '"},{"trait_type":"Image hash","value":"',
                imageHash,
                '"}]}'
            )
        );
    }

    /// @notice Metadata of a collection (ERC-7572).
    /// @param name The collection's name.
    /// @param symbol Its symbol.
    /// @param description Its description.
    /// @return uri data:application/json;base64,…
    function contractUri(string memory name, string memory symbol, string memory description)
        internal
        pure
        returns (string memory uri)
    {
        return _json(
            string.concat(
                '{"name":"',
                name.escapeJSON(),
                '","symbol":"',
                symbol.escapeJSON(),
                '","description":"',
                description.escapeJSON(),
                '"}'
            )
        );
    }

    function _picture(Token memory token, string memory modelId, string memory choice)
        private
        pure
        returns (string memory)
    {
        if (token.png.length != 0) {
            return string.concat("data:image/png;base64,", Base64.encode(token.png));
        }
        if (bytes(token.imageBaseUri).length == 0) return _card(token);
        return string.concat(token.imageBaseUri.escapeJSON(), modelId, "/", choice, ".png");
    }

    /// @dev A picture of the statement for collections without pictures.
    function _card(Token memory token) private pure returns (string memory) {
        string memory svg = string.concat(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 240"><rect width="640" height="240" fill="#16161d"/><g fill="#e8e6e3" font-family="monospace" font-size="14"><text x="32" y="48">model</text><text x="32" y="68">',
            _hex(token.modelId),
            '</text><text x="32" y="112">seed</text><text x="32" y="132">',
            _hex(bytes32(token.seed)),
            '</text><text x="32" y="176">image hash</text><text x="32" y="196">',
            _hex(token.imageHash),
            "</text></g></svg>"
        );
        return string.concat("data:image/svg+xml;base64,", Base64.encode(bytes(svg)));
    }

    function _json(string memory text) private pure returns (string memory) {
        return string.concat("data:application/json;base64,", Base64.encode(bytes(text)));
    }

    function _hex(bytes32 word) private pure returns (string memory) {
        return uint256(word).toHexString(32);
    }
}
