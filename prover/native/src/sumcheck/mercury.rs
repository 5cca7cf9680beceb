//! Opening a multilinear polynomial at one point: Mercury (eprint 2025/385), protocol.md §8.
//!
//! `f` has 2^N values; t = ⌊N/2⌋, b = 2^t. Value `row·b + col` is the coefficient of `X^{row·b + col}`:
//! `f(X) = Σ_col X^col·f_col(X^b)`. With `u = (u_row, u_col)`, top bits first:
//!
//! ```text
//! h(Y) = Σ_col eq(u_col, col)·f_col(Y)             so f~(u) = Σ_row eq(u_row, row)·h_row
//! f(X) = q(X)·(X^b − α) + g(X), deg g < b          so g_col = f_col(α), h(α) = Σ_col eq(u_col, col)·g_col
//! g(X)P₁(1/X) + g(1/X)P₁(X) + γ·(h(X)P₂(1/X) + h(1/X)P₂(X))
//!         = 2(h(α) + γ·v) + X·S(X) + S(1/X)/X      P₁ = Σ eq(u_col,i)X^i, P₂ = Σ eq(u_row,i)X^i
//! D(X) = X^{b−1}·g(1/X)                            so deg g < b
//! ```
//!
//! All of it is checked at a random ζ by KZG openings at ζ, 1/ζ and α, merged into one pairing equation,
//! into which an opening of another polynomial (the image's) at a point of its own may be merged too.

use super::error::Error;
use super::field::{F, POINT_BYTES, point_bytes, scalar_bytes};
use super::kzg::{Srs, divide_by_root, evaluate};
use super::msm::msm;
use super::multilinear::{eq_vector, inner_product, power};
use super::transcript::Transcript;
use ark_bn254::{Bn254, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, Field, One, Zero};
use rayon::prelude::*;
use std::convert::Infallible;

/// Points in an opening, but for the image's: h, g, q, S, D, W_ζ, W_{1/ζ}, W_α.
pub const POINTS: usize = 8;
/// Scalars in an opening: g(ζ), g(1/ζ), h(ζ), h(1/ζ), h(α), S(ζ).
pub const SCALARS: usize = 6;

/// An opening as it is in a proof.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Opening {
    /// h, g, q, S, D, W_ζ, W_{1/ζ}, W_α.
    pub points: [G1Affine; POINTS],
    /// W_z, where a second polynomial is opened.
    pub image_quotient: Option<G1Affine>,
    /// g(ζ), g(1/ζ), h(ζ), h(1/ζ), h(α), S(ζ).
    pub scalars: [F; SCALARS],
}

impl Opening {
    /// All points in the order of the proof.
    pub fn point_bytes(&self) -> Vec<u8> {
        self.points.iter().chain(&self.image_quotient).flat_map(point_bytes).collect()
    }
}

/// A polynomial in one variable that is opened along with the columns: the image's.
pub struct Univariate<T> {
    /// The prover's coefficients or the verifier's commitment.
    pub polynomial: T,
    /// Where it is opened.
    pub at: F,
    /// Its value there.
    pub value: F,
}

fn points_message(points: &[G1Affine]) -> Vec<u8> {
    points.iter().flat_map(point_bytes).collect()
}

/// The steps of an opening that are about all of f: on the CPU here, on a card in `gpu::opening`.
pub trait Steps {
    /// What can go wrong.
    type Error;

    /// `h_row = Σ_col p1_col·f_{row·b + col}`.
    fn contract(&mut self, p1: &[F]) -> Result<Vec<F>, Self::Error>;

    /// Divides f by `X^b − α`: the commitment of q, which is kept, and g.
    fn divide(&mut self, b: usize, alpha: F) -> Result<(G1Affine, Vec<F>), Self::Error>;

    /// S: its coefficient d − 1 is `Σᵢ g_{i+d}p1ᵢ + gᵢp1_{i+d}` and γ times the same of h and p2. The
    /// arguments are (g, p1) and (h, p2).
    fn symmetric_remainder(
        &mut self,
        columns: [&[F]; 2],
        rows: [&[F]; 2],
        gamma: F,
    ) -> Result<Vec<F>, Self::Error>;

    /// The commitment of the quotient of `f + factor·q + low` by `X − x`.
    fn quotient(&mut self, factor: F, low: &[F], x: F) -> Result<G1Affine, Self::Error>;
}

/// The steps on the CPU.
struct OnCpu<'a> {
    srs: &'a Srs,
    f: &'a [F],
    q: Vec<F>,
}

impl Steps for OnCpu<'_> {
    type Error = Infallible;

    fn contract(&mut self, p1: &[F]) -> Result<Vec<F>, Infallible> {
        Ok(self.f.par_chunks(p1.len()).map(|row| inner_product(row, p1)).collect())
    }

    /// Synthetic division, all columns at once, from the top row down.
    fn divide(&mut self, b: usize, alpha: F) -> Result<(G1Affine, Vec<F>), Infallible> {
        self.q = vec![F::zero(); self.f.len()];
        let mut carry = vec![F::zero(); b];
        for (f, q) in self.f.chunks(b).zip(self.q.chunks_mut(b)).rev() {
            q.copy_from_slice(&carry);
            for (c, v) in carry.iter_mut().zip(f) {
                *c = *c * alpha + v;
            }
        }
        Ok((commit(self.srs, &self.q), carry))
    }

    fn symmetric_remainder(
        &mut self,
        [g, p1]: [&[F]; 2],
        [h, p2]: [&[F]; 2],
        gamma: F,
    ) -> Result<Vec<F>, Infallible> {
        Ok(symmetric_remainder(g, p1, h, p2, gamma))
    }

    fn quotient(&mut self, factor: F, low: &[F], x: F) -> Result<G1Affine, Infallible> {
        let mut sum: Vec<F> = self
            .f
            .par_iter()
            .with_min_len(4096)
            .zip(&self.q)
            .map(|(f, q)| *f + factor * q)
            .collect();
        add_scaled(&mut sum, &[low], F::one(), F::one());
        Ok(commit(self.srs, &divide_by_root(&sum, x)))
    }
}

fn commit(srs: &Srs, coefficients: &[F]) -> G1Affine {
    msm(&srs.powers[..coefficients.len()], coefficients)
}

/// Opens `f` at `point`; the transcript has absorbed commitment, point and value.
pub fn open(
    srs: &Srs,
    f: &[F],
    point: &[F],
    image: Option<&Univariate<Vec<F>>>,
    transcript: &mut Transcript,
) -> Opening {
    let mut steps = OnCpu { srs, f, q: Vec::new() };
    match open_by(&mut steps, srs, point, image, transcript) {
        Ok(opening) => opening,
        Err(never) => match never {},
    }
}

/// [`open`] with the steps that are about all of f done elsewhere.
pub fn open_by<S: Steps>(
    steps: &mut S,
    srs: &Srs,
    point: &[F],
    image: Option<&Univariate<Vec<F>>>,
    transcript: &mut Transcript,
) -> Result<Opening, S::Error> {
    let t = point.len() / 2;
    let b = 1usize << t;
    let (row_point, col_point) = point.split_at(point.len() - t);
    let p1 = eq_vector(col_point);
    let p2 = eq_vector(row_point);
    let commit = |coefficients: &[F]| commit(srs, coefficients);
    let h = steps.contract(&p1)?;
    let h_point = commit(&h);
    let alpha = transcript.one(&points_message(&[h_point]));

    let (q_point, g) = steps.divide(b, alpha)?;
    let g_point = commit(&g);
    let gamma = transcript.one(&points_message(&[g_point, q_point]));

    let s = steps.symmetric_remainder([&g, &p1], [&h, &p2], gamma)?;
    let d: Vec<F> = g.iter().rev().copied().collect();
    let s_point = commit(&s);
    let d_point = commit(&d);
    let zeta = transcript.one(&points_message(&[s_point, d_point]));
    // ζ = 0 has probability 2^-254; the verifier rejects it, so any value serves here.
    let zeta_inverse = zeta.inverse().unwrap_or(F::one());

    let h_alpha = evaluate(&h, alpha);
    let scalars = [
        evaluate(&g, zeta),
        evaluate(&g, zeta_inverse),
        evaluate(&h, zeta),
        evaluate(&h, zeta_inverse),
        h_alpha,
        evaluate(&s, zeta),
    ];
    let message: Vec<u8> = scalars.iter().flat_map(scalar_bytes).collect();
    let delta = transcript.one(&message);

    let mut low = vec![F::zero(); g.len().max(h.len()).max(s.len())];
    add_scaled(&mut low, &[&g, &h, &s, &d], delta, delta);
    let w_zeta = steps.quotient(alpha - power(zeta, b as u64), &low, zeta)?;
    let mut at_inverse = vec![F::zero(); low.len()];
    add_scaled(&mut at_inverse, &[&g, &h, &s], F::one(), delta);
    let w_inverse = commit(&divide_by_root(&at_inverse, zeta_inverse));
    let w_alpha = commit(&divide_by_root(&h, alpha));
    Ok(Opening {
        points: [h_point, g_point, q_point, s_point, d_point, w_zeta, w_inverse, w_alpha],
        image_quotient: image.map(|own| commit(&divide_by_root(&own.polynomial, own.at))),
        scalars,
    })
}

fn add_scaled(into: &mut [F], polynomials: &[&[F]], first: F, ratio: F) {
    let mut scale = first;
    for polynomial in polynomials {
        for (a, p) in into.iter_mut().zip(*polynomial) {
            *a += scale * p;
        }
        scale *= ratio;
    }
}

fn symmetric_remainder(g: &[F], p1: &[F], h: &[F], p2: &[F], gamma: F) -> Vec<F> {
    let cross = |a: &[F], b: &[F], d: usize| -> F {
        if d >= a.len() {
            return F::zero();
        }
        let n = a.len() - d;
        let mut sum = F::zero();
        for i in 0..n {
            sum += a[i + d] * b[i] + a[i] * b[i + d];
        }
        sum
    };
    let length = g.len().max(h.len());
    (1..length).into_par_iter().map(|d| cross(g, p1, d) + gamma * cross(h, p2, d)).collect()
}

/// Where G₁ stands among the points that the verifier combines.
const GENERATOR: usize = POINTS;

/// `P(x) = Π (1 − uᵢ + uᵢ·x^{2^k})`, the last entry of `u` having k = 0.
fn eq_polynomial(point: &[F], x: F) -> F {
    let mut weight = x;
    let mut product = F::one();
    for u in point.iter().rev() {
        product *= F::one() - u + *u * weight;
        weight.square_in_place();
    }
    product
}

/// Checks an opening of `Σ scalarsᵢ·commitmentsᵢ` at `point` to `value`.
pub fn verify(
    tau_g2: &G2Affine,
    commitments: &[(G1Affine, F)],
    point: &[F],
    value: F,
    image: Option<&Univariate<G1Affine>>,
    opening: &Opening,
    transcript: &mut Transcript,
) -> Result<(), Error> {
    let t = point.len() / 2;
    let b = 1u64 << t;
    let (row_point, col_point) = point.split_at(point.len() - t);
    let [h, g, q, s, d, w_zeta, w_inverse, w_alpha] = opening.points;
    let alpha = transcript.one(&points_message(&[h]));
    let gamma = transcript.one(&points_message(&[g, q]));
    let zeta = transcript.one(&points_message(&[s, d]));
    let message: Vec<u8> = opening.scalars.iter().flat_map(scalar_bytes).collect();
    let delta = transcript.one(&message);
    let mu = transcript.one(&opening.point_bytes()[5 * POINT_BYTES..]);
    let inverse = zeta.inverse().ok_or(Error::Challenge)?;

    let [g_zeta, g_inverse, h_zeta, h_inverse, h_alpha, s_zeta] = opening.scalars;
    let left = g_zeta * eq_polynomial(col_point, inverse)
        + g_inverse * eq_polynomial(col_point, zeta)
        + gamma
            * (h_zeta * eq_polynomial(row_point, inverse)
                + h_inverse * eq_polynomial(row_point, zeta));
    // S(1/ζ) and D(ζ) follow from the identities that they must satisfy.
    let s_inverse = zeta * (left - (h_alpha + gamma * value).double() - zeta * s_zeta);
    let d_zeta = power(zeta, b - 1) * g_inverse;

    let delta2 = delta.square();
    let delta3 = delta2 * delta;
    let delta4 = delta3 * delta;
    let mu2 = mu.square();
    let constant = g_zeta
        + delta * g_zeta
        + delta2 * h_zeta
        + delta3 * s_zeta
        + delta4 * d_zeta
        + mu * (g_inverse + delta * h_inverse + delta2 * s_inverse)
        + mu2 * h_alpha;
    let mut points = vec![h, g, q, s, d, w_zeta, w_inverse, w_alpha, G1Affine::generator()];
    let mut scalars = vec![
        delta2 + mu * delta + mu2,
        delta + mu,
        alpha - power(zeta, b),
        delta3 + mu * delta2,
        delta4,
        zeta,
        mu * inverse,
        mu2 * alpha,
        -constant,
    ];
    let mut quotients = G1Projective::from(w_zeta) + w_inverse * mu + w_alpha * mu2;
    if let Some((image, quotient)) = image.zip(opening.image_quotient) {
        let mu3 = mu2 * mu;
        // Merged as the others: κ³·(C_I − y·G₁ + z·C_z).
        points.extend([image.polynomial, quotient]);
        scalars.extend([mu3, mu3 * image.at]);
        scalars[GENERATOR] -= mu3 * image.value;
        quotients += quotient * mu3;
    }
    for (commitment, scalar) in commitments {
        points.push(*commitment);
        scalars.push(*scalar);
    }
    let a = G1Projective::msm_unchecked(&points, &scalars).into_affine();
    let b_point = quotients.into_affine();
    let result = Bn254::multi_pairing([a, -b_point], [G2Affine::generator(), *tau_g2]);
    if result.is_zero() { Ok(()) } else { Err(Error::Opening) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_and_refuses() {
        for bits in 1..8 {
            let srs = Srs::insecure(F::from(123_456_789u64), bits);
            let f: Vec<F> = (0..1u64 << bits).map(|i| F::from(i * i + 3)).collect();
            let point: Vec<F> = (0..bits as u64).map(|i| F::from(i * 77 + 5)).collect();
            let value = inner_product(&f, &eq_vector(&point));
            let commitment = msm(&srs.powers, &f);
            let image: Vec<F> = (0..(1u64 << bits) - 1).map(|i| F::from(i % 256)).collect();
            let at = F::from(99u64);
            let own = Univariate { value: evaluate(&image, at), polynomial: image, at };
            let committed =
                Univariate { polynomial: msm(&srs.powers, &own.polynomial), at, value: own.value };
            let opening = open(&srs, &f, &point, Some(&own), &mut Transcript::default());
            let check_image = |image: &Univariate<G1Affine>| {
                verify(
                    &srs.tau_g2,
                    &[(commitment, F::one())],
                    &point,
                    value,
                    Some(image),
                    &opening,
                    &mut Transcript::default(),
                )
            };
            assert_eq!(check_image(&committed), Ok(()));
            let lie = Univariate { value: own.value + F::one(), ..committed };
            assert_eq!(check_image(&lie), Err(Error::Opening));
            let opening = open(&srs, &f, &point, None, &mut Transcript::default());
            let check = |value: F, opening: &Opening| {
                verify(
                    &srs.tau_g2,
                    &[(commitment, F::one())],
                    &point,
                    value,
                    None,
                    opening,
                    &mut Transcript::default(),
                )
            };
            assert_eq!(check(value, &opening), Ok(()));
            assert_eq!(check(value + F::one(), &opening), Err(Error::Opening));
            for i in 0..SCALARS {
                let mut bad = opening.clone();
                bad.scalars[i] += F::one();
                assert_eq!(check(value, &bad), Err(Error::Opening));
            }
            for i in 0..POINTS {
                let mut bad = opening.clone();
                bad.points[i] = (bad.points[i] + G1Affine::generator()).into_affine();
                assert_eq!(check(value, &bad), Err(Error::Opening));
            }
        }
    }
}
