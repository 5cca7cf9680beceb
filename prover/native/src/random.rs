//! Randomness of the operating system, as field elements.

use ark_bn254::Fr;
use ark_ff::PrimeField;

use crate::error::{NativeError, Result};

/// Fills a buffer.
pub fn random_bytes(target: &mut [u8]) -> Result<()> {
    getrandom::fill(target).map_err(NativeError::Randomness)
}

/// A field element whose distance from uniform is below 2^-250: 64 bytes modulo r.
pub fn random_scalar() -> Result<Fr> {
    let mut bytes = [0; 64];
    random_bytes(&mut bytes)?;
    Ok(Fr::from_le_bytes_mod_order(&bytes))
}
