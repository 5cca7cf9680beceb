//! The structured reference string and univariate helpers of KZG.

use super::buckets::Point;
use super::error::Error;
use super::field::{F, POINT_BYTES, point_bytes, read_point_unchecked};
use ark_bn254::{Fq, Fq2, G1Projective, G2Affine, G2Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{BigInteger, One, PrimeField};
use rayon::prelude::*;

/// `τ^i·G` for i below a power of two, and `τ·G₂`.
pub struct Srs {
    /// Powers in G1.
    pub powers: Vec<Point>,
    /// `τ·G₂`.
    pub tau_g2: G2Affine,
}

impl Srs {
    /// Powers of a known τ: for development only, whoever knows τ can forge every proof.
    pub fn insecure(tau: F, bits: usize) -> Self {
        let count = 1usize << bits;
        // Fixed-base windows of 8 bits: 32 tables of 255 points.
        let generator = G1Projective::generator();
        let mut base = generator;
        let mut table: Vec<G1Projective> = Vec::with_capacity(32 * 255);
        for _ in 0..32 {
            let mut multiple = base;
            for _ in 0..255 {
                table.push(multiple);
                multiple += base;
            }
            base = multiple;
        }
        let table = G1Projective::normalize_batch(&table);
        let chunk = 1 << 10;
        let powers = (0..count.div_ceil(chunk))
            .into_par_iter()
            .flat_map_iter(|c| {
                let mut scalar = super::multilinear::power(tau, (c * chunk) as u64);
                let points: Vec<G1Projective> = (0..chunk.min(count))
                    .map(|_| {
                        let bytes = scalar.into_bigint().to_bytes_le();
                        scalar *= tau;
                        let mut sum = G1Projective::default();
                        for (window, &byte) in bytes.iter().enumerate() {
                            if byte != 0 {
                                sum += table[window * 255 + byte as usize - 1];
                            }
                        }
                        sum
                    })
                    .collect();
                G1Projective::normalize_batch(&points)
            })
            .map(|point| Point::new(&point))
            .collect();
        Self { powers, tau_g2: (G2Projective::generator() * tau).into_affine() }
    }

    /// 64 bytes a power (protocol.md §2.3).
    pub fn power_bytes(&self) -> Vec<u8> {
        let mut out = vec![0u8; self.powers.len() * POINT_BYTES];
        out.par_chunks_mut(POINT_BYTES)
            .with_min_len(256)
            .zip(&self.powers)
            .for_each(|(out, point)| out.copy_from_slice(&point_bytes(&point.affine())));
        out
    }

    /// Reads what `power_bytes` wrote. The points come from a file that setup made and checked.
    pub fn read(bytes: &[u8], tau_g2: G2Affine) -> Result<Self, Error> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(POINT_BYTES) {
            return Err(Error::Key("powers of tau: length".into()));
        }
        let powers = bytes
            .par_chunks(POINT_BYTES)
            .with_min_len(256)
            .map(|bytes| read_point_unchecked(bytes).map(|point| Point::new(&point)))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Error::Key("powers of tau: coordinates".into()))?;
        Ok(Self { powers, tau_g2 })
    }
}

/// x.c1 ‖ x.c0 ‖ y.c1 ‖ y.c0, 32 bytes big-endian each (the order of EIP-197).
pub fn g2_bytes(point: &G2Affine) -> [u8; 128] {
    let mut out = [0u8; 128];
    for (i, value) in [point.x.c1, point.x.c0, point.y.c1, point.y.c0].iter().enumerate() {
        out[32 * i..32 * i + 32].copy_from_slice(&value.into_bigint().to_bytes_be());
    }
    out
}

/// Reads a G2 point: canonical coordinates, on the curve, in the prime-order subgroup, not infinity.
pub fn read_g2(bytes: &[u8]) -> Option<G2Affine> {
    if bytes.len() != 128 {
        return None;
    }
    let mut coordinates = [Fq::one(); 4];
    for (i, value) in coordinates.iter_mut().enumerate() {
        let part = &bytes[32 * i..32 * i + 32];
        *value = Fq::from_be_bytes_mod_order(part);
        if value.into_bigint().to_bytes_be() != part {
            return None;
        }
    }
    let [x1, x0, y1, y0] = coordinates;
    let point = G2Affine::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1));
    (point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve()).then_some(point)
}

/// Value of a coefficient vector at `x`.
pub fn evaluate(coefficients: &[F], x: F) -> F {
    coefficients.iter().rev().fold(F::default(), |sum, c| sum * x + c)
}

/// `(f(X) − f(x)) / (X − x)`.
pub fn divide_by_root(coefficients: &[F], x: F) -> Vec<F> {
    let mut quotient = vec![F::default(); coefficients.len().saturating_sub(1)];
    let mut carry = F::default();
    for i in (0..quotient.len()).rev() {
        carry = carry * x + coefficients[i + 1];
        quotient[i] = carry;
    }
    quotient
}
