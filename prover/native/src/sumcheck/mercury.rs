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
//! All of it is checked at a random ζ by KZG openings at ζ, 1/ζ and α, and perhaps one of another polynomial
//! (the image's) at a point of its own. All openings together are two points (eprint 2020/081, §4): W, the
//! sum of the quotients by X − x, and W′, which shows at a random w that W is this sum.

use super::error::Error;
use super::field::{F, point_bytes, scalar_bytes};
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

/// Points in an opening: h, g, q, S, D, W, W′.
pub const POINTS: usize = 7;
/// Scalars in an opening: g(ζ), g(1/ζ), h(ζ), h(1/ζ), h(α), S(ζ), and the inverse of everything that a
/// verifier has to divide by.
pub const SCALARS: usize = 7;
/// Those of them that are values of polynomials.
const VALUES: usize = 6;

/// An opening as it is in a proof.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Opening {
    /// h, g, q, S, D, W, W′.
    pub points: [G1Affine; POINTS],
    /// g(ζ), g(1/ζ), h(ζ), h(1/ζ), h(α), S(ζ), inverse.
    pub scalars: [F; SCALARS],
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

/// Opens `f` at `point`; the transcript has absorbed commitment, point and value. `forged_value` is one of the
/// values to lie about: for tests of what verifiers reject.
pub fn open(
    srs: &Srs,
    f: &[F],
    point: &[F],
    image: Option<&Univariate<Vec<F>>>,
    forged_value: Option<usize>,
    transcript: &mut Transcript,
) -> Opening {
    let mut steps = OnCpu { srs, f, q: Vec::new() };
    match open_by(&mut steps, srs, point, image, forged_value, transcript) {
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
    forged_value: Option<usize>,
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
    // Challenges that have no inverse have probability 2^-252; the verifier rejects them, so any value serves.
    let zeta_inverse = zeta.inverse().unwrap_or(F::one());

    let h_alpha = evaluate(&h, alpha);
    let mut values: [F; VALUES] = [
        evaluate(&g, zeta),
        evaluate(&g, zeta_inverse),
        evaluate(&h, zeta),
        evaluate(&h, zeta_inverse),
        h_alpha,
        evaluate(&s, zeta),
    ];
    if let Some(value) = forged_value.and_then(|i| values.get_mut(i)) {
        *value += F::one();
    }
    let delta = transcript.one(&scalars_message(&values));

    let mut low = vec![F::zero(); g.len().max(h.len()).max(s.len())];
    add_scaled(&mut low, &[&g, &h, &s, &d], delta, delta);
    let w_zeta = steps.quotient(alpha - power(zeta, b as u64), &low, zeta)?;
    let mut at_inverse = vec![F::zero(); low.len()];
    add_scaled(&mut at_inverse, &[&g, &h, &s], F::one(), delta);
    // The commitments of the quotients beside the first, each with its point.
    let quotient = |polynomial: &[F], at: F| (commit(&divide_by_root(polynomial, at)), at);
    let mut others = vec![quotient(&at_inverse, zeta_inverse), quotient(&h, alpha)];
    others.extend(image.map(|own| quotient(&own.polynomial, own.at)));
    let mut sum = G1Projective::from(w_zeta);
    for (point, _) in &others {
        sum += point;
    }
    let w_point = sum.into_affine();
    let w = transcript.one(&points_message(&[w_point]));
    // W′ commits to the quotient by X − w of Σ_x c_x·(E_x − y_x) + (ζ − w)·W, c_x = (w − ζ)/(w − x). Of each
    // c_x·(E_x − y_x) + (ζ − w)·Q_x = Q_x·(c_x·(X − x) + ζ − w) = c_x·Q_x·(X − w) that is c_x·Q_x.
    let mut last = G1Projective::from(w_zeta);
    let mut product = zeta * (zeta * w - F::one());
    for (i, &(point, at)) in others.iter().enumerate() {
        last += point * ((w - zeta) * (w - at).inverse().unwrap_or(F::one()));
        if i > 0 {
            product *= w - at;
        }
    }
    let last_point = last.into_affine();
    let mut scalars = [product.inverse().unwrap_or(F::one()); SCALARS];
    scalars[..VALUES].copy_from_slice(&values);
    Ok(Opening {
        points: [h_point, g_point, q_point, s_point, d_point, w_point, last_point],
        scalars,
    })
}

fn scalars_message(scalars: &[F]) -> Vec<u8> {
    scalars.iter().flat_map(scalar_bytes).collect()
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
    let [h, g, q, s, d, w_point, last] = opening.points;
    let alpha = transcript.one(&points_message(&[h]));
    let gamma = transcript.one(&points_message(&[g, q]));
    let zeta = transcript.one(&points_message(&[s, d]));
    let delta = transcript.one(&scalars_message(&opening.scalars[..VALUES]));
    let w = transcript.one(&points_message(&[w_point]));

    let [g_zeta, g_inverse, h_zeta, h_inverse, h_alpha, s_zeta, inverse_of_all] = opening.scalars;
    // ζ·(w − 1/ζ), w − α, w − z: what is divided by, beside ζ itself.
    let factors = [zeta * w - F::one(), w - alpha, image.map_or(F::one(), |own| w - own.at)];
    let product: F = factors.iter().product();
    if inverse_of_all * zeta * product != F::one() {
        return Err(Error::Inverse);
    }
    let inverse = inverse_of_all * product;
    let share = (w - zeta) * inverse_of_all * zeta;
    let at_inverse = share * factors[1] * factors[2] * zeta;
    let at_alpha = share * factors[0] * factors[2];

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
    let mut constant = g_zeta
        + delta * g_zeta
        + delta2 * h_zeta
        + delta3 * s_zeta
        + delta4 * d_zeta
        + at_inverse * (g_inverse + delta * h_inverse + delta2 * s_inverse)
        + at_alpha * h_alpha;
    let mut points = vec![h, g, q, s, d, w_point, last];
    let mut scalars = vec![
        delta2 + at_inverse * delta + at_alpha,
        delta + at_inverse,
        alpha - power(zeta, b),
        delta3 + at_inverse * delta2,
        delta4,
        zeta - w,
        w,
    ];
    if let Some(image) = image {
        let at_image = share * factors[0] * factors[1];
        points.push(image.polynomial);
        scalars.push(at_image);
        constant += at_image * image.value;
    }
    points.push(G1Affine::generator());
    scalars.push(-constant);
    for (commitment, scalar) in commitments {
        points.push(*commitment);
        scalars.push(*scalar);
    }
    let sum = G1Projective::msm_unchecked(&points, &scalars).into_affine();
    let result = Bn254::multi_pairing([sum, -last], [G2Affine::generator(), *tau_g2]);
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
            let opening = open(&srs, &f, &point, Some(&own), None, &mut Transcript::default());
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
            let opening = open(&srs, &f, &point, None, None, &mut Transcript::default());
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
            for i in 0..VALUES {
                let bad = open(&srs, &f, &point, None, Some(i), &mut Transcript::default());
                assert_eq!(check(value, &bad), Err(Error::Opening));
            }
            for i in 0..SCALARS {
                let mut bad = opening.clone();
                bad.scalars[i] += F::one();
                assert_eq!(check(value, &bad), Err(Error::Inverse));
            }
            for i in 0..POINTS {
                let mut bad = opening.clone();
                bad.points[i] = (bad.points[i] + G1Affine::generator()).into_affine();
                // W′ alone comes after the last challenge.
                let reason = if i == POINTS - 1 { Error::Opening } else { Error::Inverse };
                assert_eq!(check(value, &bad), Err(reason));
            }
        }
    }
}
