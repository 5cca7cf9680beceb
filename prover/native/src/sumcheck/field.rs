//! Scalars and points with their byte encodings.
//!
//! Scalars are 32 bytes big-endian, below the group order. Points of G1 are x ‖ y, 32 bytes
//! big-endian each, below the base field's order; the point at infinity is 64 zero bytes.

use ark_bn254::{Fq, Fr, G1Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInteger, BigInteger256, PrimeField};

/// The scalar field of BN254.
pub type F = Fr;

/// Bytes of an encoded scalar.
pub const SCALAR_BYTES: usize = 32;
/// Bytes of an encoded G1 point.
pub const POINT_BYTES: usize = 64;

/// Big-endian bytes of a scalar.
pub fn scalar_bytes(value: &F) -> [u8; 32] {
    let mut out = [0u8; 32];
    out.copy_from_slice(&value.into_bigint().to_bytes_be());
    out
}

fn canonical<P: PrimeField<BigInt = BigInteger256>>(bytes: &[u8]) -> Option<P> {
    if bytes.len() != 32 {
        return None;
    }
    let mut limbs = [0u64; 4];
    for (i, limb) in limbs.iter_mut().enumerate() {
        let end = 32 - 8 * i;
        let mut word = [0u8; 8];
        word.copy_from_slice(&bytes[end - 8..end]);
        *limb = u64::from_be_bytes(word);
    }
    P::from_bigint(BigInteger256::new(limbs))
}

/// Reads a scalar, `None` unless it is 32 bytes below the order.
pub fn read_scalar(bytes: &[u8]) -> Option<F> {
    canonical::<F>(bytes)
}

/// The bytes as a big-endian integer, reduced.
pub fn reduce(bytes: &[u8]) -> F {
    F::from_be_bytes_mod_order(bytes)
}

/// A signed integer as a scalar.
pub fn from_i64(value: i64) -> F {
    if value < 0 { -F::from(value.unsigned_abs()) } else { F::from(value as u64) }
}

/// x ‖ y, or zeros for infinity.
pub fn point_bytes(point: &G1Affine) -> [u8; 64] {
    let mut out = [0u8; 64];
    if let Some((x, y)) = point.xy() {
        out[..32].copy_from_slice(&x.into_bigint().to_bytes_be());
        out[32..].copy_from_slice(&y.into_bigint().to_bytes_be());
    }
    out
}

/// Reads a point, `None` unless canonical and on the curve (G1 has prime order, so that is enough).
pub fn read_point(bytes: &[u8]) -> Option<G1Affine> {
    if bytes.len() != POINT_BYTES {
        return None;
    }
    if bytes.iter().all(|&b| b == 0) {
        return Some(G1Affine::identity());
    }
    let x = canonical::<Fq>(&bytes[..32])?;
    let y = canonical::<Fq>(&bytes[32..])?;
    let point = G1Affine::new_unchecked(x, y);
    point.is_on_curve().then_some(point)
}

/// Reads a point without the curve check: for files of our own making whose digest was checked.
pub fn read_point_unchecked(bytes: &[u8]) -> Option<G1Affine> {
    let x = canonical::<Fq>(bytes.get(..32)?)?;
    let y = canonical::<Fq>(bytes.get(32..64)?)?;
    Some(G1Affine::new_unchecked(x, y))
}
