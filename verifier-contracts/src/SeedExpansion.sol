// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Seed to latent bytes
/// @notice The same expansion as `circuits/seed-expansion.ts`:
///
///     block_i = keccak256(SEED_DOMAIN ‖ seed ‖ i)
///     byte_j  = block_{⌊j/31⌋}[j mod 31]
///
/// The bytes leave here as limbs, 31 bytes each and big-endian, because a limb fits in a field element.
/// The last limb holds only the bytes that are left.
library SeedExpansion {
    /// @dev Separates these hashes from every other use of keccak256 over a seed.
    bytes32 internal constant SEED_DOMAIN = keccak256("platemark.seed.v1");

    /// @dev Bytes in one limb.
    uint256 internal constant LIMB_BYTES = 31;

    /// @notice Number of limbs that hold `dimensions` bytes.
    /// @param dimensions Number of latent dimensions, one byte each.
    /// @return count ⌈dimensions / 31⌉
    function limbCount(uint256 dimensions) internal pure returns (uint256 count) {
        return (dimensions + LIMB_BYTES - 1) / LIMB_BYTES;
    }

    /// @notice One limb of the latent bytes of a seed.
    /// @param seed Any 256-bit number.
    /// @param dimensions Number of latent dimensions.
    /// @param index Which limb, below `limbCount(dimensions)`.
    /// @return value The limb, below 2^248.
    function limb(uint256 seed, uint256 dimensions, uint256 index)
        internal
        pure
        returns (uint256 value)
    {
        value = uint256(keccak256(abi.encode(SEED_DOMAIN, seed, index))) >> 8;
        uint256 rest = dimensions - index * LIMB_BYTES;
        if (rest < LIMB_BYTES) value >>= 8 * (LIMB_BYTES - rest);
    }
}
