// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

/// @title ERC-7007, verifiable AI-generated content token (Final)
/// @notice The ERC-165 id is 0x702c55a6.
/// @dev ERC-721 of OpenZeppelin is ERC-165 already.
interface IERC7007 is IERC721 {
    /// @notice Generated data was added to a token.
    /// @dev `prompt` and `aigcData` are indexed in the Final text: a log holds only their keccak256.
    event AigcData(
        uint256 indexed tokenId, bytes indexed prompt, bytes indexed aigcData, bytes proof
    );

    /// @notice Adds generated data to a token.
    /// @param tokenId The token; the hash of `prompt`.
    /// @param prompt The prompt.
    /// @param aigcData The data generated from it.
    /// @param proof The proof.
    function addAigcData(
        uint256 tokenId,
        bytes calldata prompt,
        bytes calldata aigcData,
        bytes calldata proof
    ) external;

    /// @notice Whether the proof shows that the model generates `aigcData` from `prompt`.
    /// @param prompt The prompt.
    /// @param aigcData The generated data.
    /// @param proof The proof.
    /// @return success Whether it does.
    function verify(bytes calldata prompt, bytes calldata aigcData, bytes calldata proof)
        external
        view
        returns (bool success);
}

/// @title ERC-7007, enumerable extension
/// @notice The ERC-165 id is 0xfa1a557a.
interface IERC7007Enumerable is IERC7007 {
    /// @notice The token of a prompt, minted or not.
    /// @param prompt The prompt.
    /// @return id Its token id.
    function tokenId(bytes calldata prompt) external view returns (uint256 id);

    /// @notice The prompt of a token.
    /// @param id The token.
    /// @return text The prompt's bytes.
    function prompt(uint256 id) external view returns (string memory text);
}
