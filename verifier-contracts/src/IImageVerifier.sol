// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Verifier of one statement about one model
/// @notice Every proof system of platemark is verified behind this interface. The statement is: the
/// model with id `modelId()` generates, from `seed`, exactly the image that `image` stands for, and the
/// proof was made for `context`. It says nothing about who chose the seed, who wrote or trained the
/// model, or whether the picture is original.
/// @dev Implementations are immutable: no owner, no storage, no upgrade.
interface IImageVerifier {
    /// @notice The proof is well formed and does not prove the statement.
    error ProofInvalid();
    /// @notice Too little gas to tell whether the proof holds. No verdict on the proof.
    error InsufficientGas(uint256 available);

    /// @notice The model whose images this contract verifies.
    /// @return id keccak256 of the model's canonical description, as the toolkit prints it.
    function modelId() external view returns (bytes32 id);

    /// @notice The proof system, as ERC-7992 names them.
    /// @return id First four bytes of keccak256 of the name, for example "groth16-bn254-v1".
    function proofSystem() external view returns (bytes4 id);

    /// @notice Commitment to the verifying key that this contract has built in.
    /// @return hash keccak256 of the key's canonical encoding.
    function verifyingKeyHash() external view returns (bytes32 hash);

    /// @notice Returns the hash of the image if the proof holds and reverts with a reason otherwise.
    /// @param seed The seed, any 256-bit number; the contract expands it to latent values by itself.
    /// @param image What stands for the image. Groth16: the 32-byte Poseidon digest of its pixels.
    /// @param context What the proof is bound to. A caller that hands out anything for a proof computes
    /// it from its own chain id, address and recipient (`PlatemarkContext`), never from calldata.
    /// @param proof The proof bytes.
    /// @return imageHash Hash of the image under the proof system's scheme.
    function verifyImage(uint256 seed, bytes calldata image, bytes32 context, bytes calldata proof)
        external
        view
        returns (bytes32 imageHash);
}
