//! Group elements in files: affine, each coordinate its Montgomery form x·2^256 mod q as 32 bytes
//! little-endian, an Fq2 coordinate real part first; infinity is all zero. That is also how arkworks
//! holds them in memory, so reading and writing moves limbs and multiplies nothing.

use ark_bn254::{Fq, Fq2, g1, g2};
use ark_ec::AdditiveGroup;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::{BigInt, MontFp, PrimeField};
use rayon::prelude::*;

use crate::error::{Place, Result};
use crate::random::random_bytes;
use crate::sections::SectionReader;

/// The base field modulus in 32 bytes little-endian, as headers state it.
pub fn base_modulus_bytes() -> [u8; 32] {
    limbs_to_bytes(&Fq::MODULUS)
}

/// The 32 bytes little-endian of an integer.
pub fn limbs_to_bytes(value: &BigInt<4>) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, limb) in bytes.chunks_exact_mut(8).zip(value.0) {
        chunk.copy_from_slice(&limb.to_le_bytes());
    }
    bytes
}

/// The integer of 32 bytes little-endian.
pub fn bytes_to_limbs(bytes: &[u8; 32]) -> BigInt<4> {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_le_bytes(chunk.try_into().expect("chunks of 8"));
    }
    BigInt::new(limbs)
}

/// A curve whose points occur in files.
pub trait FileCurve: SWCurveConfig<ScalarField = ark_bn254::Fr> {
    /// Bytes of a point.
    const POINT_BYTES: usize;
    /// The letter pair in messages.
    const NAME: &'static str;
    /// Appends a point.
    fn write(point: &Affine<Self>, target: &mut Vec<u8>);
    /// The coordinates in `POINT_BYTES` bytes, where they are canonical.
    fn coordinates(bytes: &[u8]) -> Option<(Self::BaseField, Self::BaseField)>;
    /// Whether all points are in the group of prime order r, given that they are on the curve.
    fn in_subgroup(points: &[Affine<Self>]) -> Result<bool>;
}

fn write_fq(value: &Fq, target: &mut Vec<u8>) {
    target.extend_from_slice(&limbs_to_bytes(&value.0));
}

fn read_fq(bytes: &[u8]) -> Option<Fq> {
    let limbs = bytes_to_limbs(bytes.try_into().ok()?);
    (limbs < Fq::MODULUS).then(|| Fq::new_unchecked(limbs))
}

impl FileCurve for g1::Config {
    const POINT_BYTES: usize = 64;
    const NAME: &'static str = "G1";

    fn write(point: &Affine<Self>, target: &mut Vec<u8>) {
        if point.infinity {
            target.extend_from_slice(&[0; 64]);
        } else {
            write_fq(&point.x, target);
            write_fq(&point.y, target);
        }
    }

    fn coordinates(bytes: &[u8]) -> Option<(Fq, Fq)> {
        Some((read_fq(&bytes[..32])?, read_fq(&bytes[32..])?))
    }

    /// The cofactor of G1 is one.
    fn in_subgroup(_: &[Affine<Self>]) -> Result<bool> {
        Ok(true)
    }
}

impl FileCurve for g2::Config {
    const POINT_BYTES: usize = 128;
    const NAME: &'static str = "G2";

    fn write(point: &Affine<Self>, target: &mut Vec<u8>) {
        if point.infinity {
            target.extend_from_slice(&[0; 128]);
        } else {
            for part in [&point.x, &point.y] {
                write_fq(&part.c0, target);
                write_fq(&part.c1, target);
            }
        }
    }

    fn coordinates(bytes: &[u8]) -> Option<(Fq2, Fq2)> {
        let part = |at: usize| {
            Some(Fq2::new(read_fq(&bytes[at..at + 32])?, read_fq(&bytes[at + 32..at + 64])?))
        };
        Some((part(0)?, part(64)?))
    }

    /// Tests random combinations instead of every point.
    ///
    /// The twist has order r·h, and the smallest prime factor of h is 10069. Let some P_i have a
    /// part of order ℓ^k outside the subgroup. For k_i uniform in [0, 2^16), Σ k_i·P_i has no such
    /// part with probability at most ⌈2^16/10069⌉/2^16 = 7/2^16 < 2^-13; all of [`COMBINATIONS`]
    /// independent ones with less than 2^-65. The k_i are fresh and secret, so that this is the
    /// chance of whoever made the file, once per check.
    fn in_subgroup(points: &[Affine<Self>]) -> Result<bool> {
        if points.len() <= 64 {
            return Ok(points.iter().all(Self::is_in_correct_subgroup_assuming_on_curve));
        }
        let mut random = vec![0; 2 * points.len() * COMBINATIONS];
        random_bytes(&mut random)?;
        Ok(random.par_chunks_exact(2 * points.len()).all(|bytes| {
            let sum = short_combination(points, bytes);
            Self::is_in_correct_subgroup_assuming_on_curve(&sum.into())
        }))
    }
}

const COMBINATIONS: usize = 5;

/// Σ k_i·P_i with k_i the 16-bit integers in `bytes`, in two windows of 8 bits.
fn short_combination<P: SWCurveConfig>(points: &[Affine<P>], bytes: &[u8]) -> Projective<P> {
    let window = |offset: usize| {
        let mut buckets = [Projective::<P>::ZERO; 256];
        for (point, digits) in points.iter().zip(bytes.chunks_exact(2)) {
            buckets[usize::from(digits[offset])] += point;
        }
        let mut running = Projective::<P>::ZERO;
        let mut sum = running;
        for bucket in buckets[1..].iter().rev() {
            running += bucket;
            sum += running;
        }
        sum
    };
    let mut result = window(1);
    for _ in 0..8 {
        result.double_in_place();
    }
    result + window(0)
}

/// Reads points and accepts only canonical coordinates on the curve and in the subgroup, never
/// infinity.
pub fn read_points<P: FileCurve>(
    reader: &mut SectionReader,
    count: usize,
) -> Result<Vec<Affine<P>>> {
    let start = reader.place().clone();
    let mut bytes = vec![0; count * P::POINT_BYTES];
    reader.bytes(&mut bytes)?;
    let at =
        |i: usize| Place { offset: start.offset + (i * P::POINT_BYTES) as u64, ..start.clone() };
    let points = bytes
        .par_chunks_exact(P::POINT_BYTES)
        .enumerate()
        .map(|(i, bytes)| {
            let wrong = |found: &str| Err(at(i).malformed(format!("a {} point", P::NAME), found));
            let Some((x, y)) = P::coordinates(bytes) else {
                return wrong("a coordinate that is not below the modulus");
            };
            if bytes.iter().all(|byte| *byte == 0) {
                return wrong("the point at infinity");
            }
            let point = Affine::<P>::new_unchecked(x, y);
            if !point.is_on_curve() {
                return wrong("a point that is not on the curve");
            }
            Ok(point)
        })
        .collect::<Result<Vec<_>>>()?;
    if !P::in_subgroup(&points)? {
        let index =
            points.iter().position(|point| !P::is_in_correct_subgroup_assuming_on_curve(point));
        return Err(at(index.unwrap_or(0)).malformed(
            format!("a {} point", P::NAME),
            "a point outside the prime-order subgroup",
        ));
    }
    Ok(points)
}

/// Encodes points one after the other.
pub fn encode_points<P: FileCurve>(points: &[Affine<P>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(points.len() * P::POINT_BYTES);
    for point in points {
        P::write(point, &mut bytes);
    }
    bytes
}

/// 2^256 as a scalar: the factor between a value and its Montgomery form.
pub const MONTGOMERY_FACTOR: ark_bn254::Fr =
    MontFp!("6350874878119819312338956282401532410528162663560392320966563075034087161851");

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ec::AffineRepr;

    #[test]
    fn one_point_outside_the_subgroup_is_found_among_many() {
        let generator = ark_bn254::G2Affine::generator();
        for count in [10, 200] {
            let mut points = vec![generator; count];
            assert!(g2::Config::in_subgroup(&points).unwrap());
            points[count / 2] = outside_subgroup();
            assert!(!g2::Config::in_subgroup(&points).unwrap());
        }
    }

    fn outside_subgroup() -> ark_bn254::G2Affine {
        (1u64..)
            .filter_map(|i| {
                let x = Fq2::new(Fq::from(i), Fq::from(1u64));
                ark_bn254::G2Affine::get_point_from_x_unchecked(x, false)
            })
            .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
            .expect("almost every point is outside")
    }

    #[test]
    fn points_survive_writing() {
        let points = [ark_bn254::G1Affine::generator(), -ark_bn254::G1Affine::generator()];
        let bytes = encode_points(&points);
        for (bytes, point) in bytes.chunks_exact(64).zip(points) {
            assert_eq!(g1::Config::coordinates(bytes), Some((point.x, point.y)));
        }
        assert_eq!(g1::Config::coordinates(&[255; 64]), None);
    }
}
