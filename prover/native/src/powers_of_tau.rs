//! Making and checking powers of tau.
//!
//! **Check.** Every point is canonical, on its curve, in the subgroup and not infinity. Then, with
//! random ρ and P = Σ_i ρ^i·P_i over a sequence P_0 … P_{M−1} that should be P_0·(1, τ, τ², …):
//!
//! ```text
//! P' = P − ρ^{M−1}·P_{M−1}      all but the last
//! P" = (P − P_0)/ρ              all but the first, each with the weight of its predecessor
//! e(P', τ·G2) = e(P", G2)
//! ```
//!
//! An error at any i survives with probability at most M/r over ρ. For the Lagrange sections, with a
//! random σ for each level n = 2^p,
//!
//! ```text
//! Σ_i σ^(i+1)·L_i(τ)·P_0 = Σ_j c_j·τ^j·P_0,     c the coefficients of Σ_i σ^(i+1)·L_i(X)
//! ```
//!
//! an equation between points of the file, again with error n/r. The equations of all levels are
//! added up: no two levels share a monomial of the σ, so that no error can cancel another. The highest
//! level of section 12 has 2N points and the file 2N−1 powers: there the last coefficient of every L_i
//! is left out, on both sides. Files are read once from front to back in batches, so that memory does
//! not grow with them.
//!
//! **What the check cannot show** is that nobody knows τ. The file's contributions say who took part;
//! that one of them was honest is what the ceremony rests on, and the published hash of its file says
//! that this is its file. A file without contributions is for development and reported as such.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine, g1, g2};
use ark_ec::pairing::Pairing;
use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ec::{AdditiveGroup, AffineRepr, VariableBaseMSM};
use ark_ff::{Field, One, Zero};
use blake2::{Blake2b512, Digest};
use sha2::Sha256;

use crate::Progress;
use crate::error::{NativeError, Result};
use crate::fixed_base::FixedBase;
use crate::groth16_setup::write_multiples;
use crate::lagrange::{lagrange_at, power_combination_coefficients, root_of_unity};
use crate::points::{FileCurve, base_modulus_bytes, read_points};
use crate::ptau::{
    ALPHA_TAU_G1, BETA_G2, BETA_TAU_G1, CONTRIBUTIONS, Contribution, PowersOfTau, TAU_G1, TAU_G2,
    powers_of,
};
use crate::random::random_scalar;
use crate::sections::SectionWriter;

/// Points that are read and combined at a time.
const BATCH: u64 = 1 << 16;

/// Development files are for tests; more than this nobody should wait for.
const MAX_DEVELOPMENT_POWER: u32 = 22;

/// Writes powers of a random tau, prepared for phase 2, with an empty list of contributions. That
/// list is how [`check`], and everyone else, tells that the file is not from a ceremony.
pub fn write_development(path: &Path, power: u32, progress: Progress) -> Result<()> {
    if power == 0 || power > MAX_DEVELOPMENT_POWER {
        return Err(NativeError::Unusable {
            message: "The power of the development file is out of range.".into(),
            expected: format!("1 to {MAX_DEVELOPMENT_POWER}"),
            found: power.to_string(),
            fix: "Choose a smaller power, or use the file of a ceremony.".into(),
        });
    }
    let n = 1usize << power;
    let [tau, alpha, beta] = draw(power)?;
    let mut out = SectionWriter::create(path, "ptau", 11)?;
    out.begin(1)?;
    out.u32(32)?;
    out.bytes(&base_modulus_bytes())?;
    out.u32(power)?;
    out.u32(power)?;
    out.end()?;

    let total = 15 * n as u64;
    let mut done = 0;
    let mut advance = |count: usize| {
        done += count as u64;
        progress("powers of tau", done.min(total), total);
    };
    let g1 = FixedBase::<g1::Config>::new(G1Affine::generator(), 13 * n);
    let g2 = FixedBase::<g2::Config>::new(G2Affine::generator(), 3 * n);
    let sequence = |first: Fr, count: usize| powers_of(tau, first).take(count).collect::<Vec<_>>();
    let levels = |first: Fr, top: u32| {
        (0..=top)
            .flat_map(|p| lagrange_at(tau, p, 0, 1, 1 << p))
            .map(|value| value * first)
            .collect::<Vec<_>>()
    };
    write_multiples(&mut out, 2, &g1, &sequence(Fr::one(), 2 * n - 1), &mut advance)?;
    write_multiples(&mut out, 3, &g2, &sequence(Fr::one(), n), &mut advance)?;
    write_multiples(&mut out, 4, &g1, &sequence(alpha, n), &mut advance)?;
    write_multiples(&mut out, 5, &g1, &sequence(beta, n), &mut advance)?;
    write_multiples(&mut out, BETA_G2, &g2, &[beta], &mut advance)?;
    out.begin(CONTRIBUTIONS)?;
    out.u32(0)?;
    out.end()?;
    write_multiples(&mut out, 12, &g1, &tau_levels(tau, power), &mut advance)?;
    write_multiples(&mut out, 13, &g2, &levels(Fr::one(), power), &mut advance)?;
    write_multiples(&mut out, 14, &g1, &levels(alpha, power), &mut advance)?;
    write_multiples(&mut out, 15, &g1, &levels(beta, power), &mut advance)?;
    out.finish()
}

/// The scalars of section 12. Without τ^(2N−1), L_i(τ) of the highest level lacks its last term,
/// ω^{−i(2N−1)}·τ^(2N−1)/2N = ω^i·τ^(2N−1)/2N.
fn tau_levels(tau: Fr, power: u32) -> Vec<Fr> {
    let mut values: Vec<Fr> =
        (0..=power + 1).flat_map(|p| lagrange_at(tau, p, 0, 1, 1 << p)).collect();
    let size = 2u64 << power;
    let missing = tau.pow([size - 1]) / Fr::from(size);
    let highest = values.len() - size as usize;
    for (value, term) in
        values[highest..].iter_mut().zip(powers_of(root_of_unity(power + 1), missing))
    {
        *value -= term;
    }
    values
}

/// τ, α, β: not zero, not one, different, τ not among the roots of unity.
fn draw(power: u32) -> Result<[Fr; 3]> {
    loop {
        let values = [random_scalar()?, random_scalar()?, random_scalar()?];
        let trivial = values.iter().any(|value| value.is_zero() || value.is_one());
        if !trivial && values[1] != values[2] && !values[0].pow([2u64 << power]).is_one() {
            return Ok(values);
        }
    }
}

/// What a checked file is.
#[derive(Clone, Debug)]
pub struct Checked {
    /// log2 of the number of powers.
    pub power: u32,
    /// The same of the ceremony that this file was cut from.
    pub ceremony_power: u32,
    /// Whether it has the sections that a Groth16 setup needs.
    pub prepared: bool,
    /// Names of the contributions in order; empty: a development file.
    pub contributions: Vec<String>,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// BLAKE2b-512 of the file: the hash that ceremonies publish.
    pub blake2b: [u8; 64],
    /// Size of the file.
    pub bytes: u64,
    /// Time of the check.
    pub seconds: f64,
}

/// Checks a file as the module describes.
pub fn check(path: &Path, progress: Progress) -> Result<Checked> {
    let started = Instant::now();
    let ptau = PowersOfTau::open(path)?;
    let n = 1u64 << ptau.power;
    let total = 5 * n - 1 + if ptau.prepared { 10 * n - 4 } else { 0 };
    let mut scan = Scan { ptau: &ptau, done: 0, total, progress };
    progress("checking powers of tau", 0, total);
    require_contribution(&ptau)?;
    let tau1 = scan.sequence::<g1::Config>(TAU_G1, 2 * n - 1, ptau.power + 1)?;
    let tau2 = scan.sequence::<g2::Config>(TAU_G2, n, ptau.power)?;
    let alpha = scan.sequence::<g1::Config>(ALPHA_TAU_G1, n, ptau.power)?;
    let beta = scan.sequence::<g1::Config>(BETA_TAU_G1, n, ptau.power)?;
    let beta_g2 = read_points::<g2::Config>(&mut ptau.file.read(BETA_G2)?, 1)?[0];

    let (one1, one2) = (G1Affine::generator(), G2Affine::generator());
    let section = |id: u32, expected: &str, holds: bool| {
        let found = "points that are not";
        if holds { Ok(()) } else { Err(ptau.file.place(id).malformed(expected, found)) }
    };
    section(2, "powers that begin with the generator of G1", tau1.first == one1)?;
    section(3, "powers that begin with the generator of G2", tau2.first == one2)?;
    let same = |a: G1Projective, b: G2Affine, c: G1Projective, d: G2Affine| {
        Bn254::multi_pairing([a, -c], [b, d]).is_zero()
    };
    let step2 = tau2.second;
    section(3, "the same tau in G1 and G2", same(tau1.second.into(), one2, one1.into(), step2))?;
    section(2, "successive powers of one tau", same(tau1.leading, step2, tau1.following, one2))?;
    section(
        3,
        "successive powers of one tau",
        Bn254::multi_pairing([tau1.second, -one1], [tau2.leading, tau2.following]).is_zero(),
    )?;
    section(4, "successive powers of one tau", same(alpha.leading, step2, alpha.following, one2))?;
    section(5, "successive powers of one tau", same(beta.leading, step2, beta.following, one2))?;
    section(6, "the same beta in G1 and G2", same(beta.first.into(), one2, one1.into(), beta_g2))?;

    let contributions = ptau.contributions()?;
    if let Some(last) = contributions.last() {
        let matches = last.tau_g1 == tau1.second
            && last.tau_g2 == tau2.second
            && last.alpha_g1 == alpha.first
            && last.beta_g1 == beta.first
            && last.beta_g2 == beta_g2;
        section(CONTRIBUTIONS, "a last contribution that led to these powers", matches)?;
    }
    let (sha256, blake2b, bytes) = hash_file(path)?;
    Ok(Checked {
        power: ptau.power,
        ceremony_power: ptau.ceremony_power,
        prepared: ptau.prepared,
        contributions: contributions.iter().enumerate().map(describe).collect(),
        sha256,
        blake2b,
        bytes,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// τ, α and β must not be 1, as they are in a file that a ceremony begins with.
fn require_contribution(ptau: &PowersOfTau) -> Result<()> {
    let one = G1Affine::generator();
    let tau = read_points::<g1::Config>(&mut ptau.file.read(TAU_G1.0)?, 2)?[1];
    let alpha = read_points::<g1::Config>(&mut ptau.file.read(ALPHA_TAU_G1.0)?, 1)?[0];
    let beta = read_points::<g1::Config>(&mut ptau.file.read(BETA_TAU_G1.0)?, 1)?[0];
    if tau != one && alpha != one && beta != one {
        return Ok(());
    }
    Err(NativeError::Unusable {
        message: "The powers of tau are trivial: nobody has contributed to them.".into(),
        expected: "the file of a ceremony".into(),
        found: "tau, alpha or beta is 1".into(),
        fix: "Take the file of a public ceremony, or use a development setup.".into(),
    })
}

fn describe((index, contribution): (usize, &Contribution)) -> String {
    match (contribution.name.as_str(), contribution.beacon) {
        ("", false) => format!("contribution {}", index + 1),
        ("", true) => format!("beacon {}", index + 1),
        (name, _) => name.to_string(),
    }
}

/// What is left of a sequence of powers after reading it.
struct Sequence<P: FileCurve> {
    first: Affine<P>,
    second: Affine<P>,
    /// Σ ρ^i·P_i over all but the last.
    leading: Projective<P>,
    /// Σ ρ^i·P_{i+1}.
    following: Projective<P>,
}

struct Scan<'a> {
    ptau: &'a PowersOfTau,
    done: u64,
    total: u64,
    progress: Progress<'a>,
}

impl Scan<'_> {
    /// Reads `count` powers and, where the file is prepared, the Lagrange levels up to 2^`top`, and
    /// checks the latter against the former.
    fn sequence<P: FileCurve>(
        &mut self,
        (section, lagrange_section): (u32, u32),
        count: u64,
        top: u32,
    ) -> Result<Sequence<P>> {
        let sigmas = match self.ptau.prepared {
            true => (0..=top).map(|_| random_scalar()).collect::<Result<Vec<_>>>()?,
            false => Vec::new(),
        };
        let rho = random_scalar()?;
        let mut reader = self.ptau.file.read(section)?;
        let mut weight = Fr::one();
        let mut combination = Projective::<P>::ZERO;
        let mut lagrange = Projective::<P>::ZERO;
        let mut ends: Option<(Affine<P>, Affine<P>)> = None;
        let mut last = (Affine::<P>::identity(), Fr::one());
        let mut start = 0;
        while start < count {
            let end = count.min(start + BATCH);
            let points = read_points::<P>(&mut reader, (end - start) as usize)?;
            let weights: Vec<Fr> = powers_of(rho, weight).take(points.len()).collect();
            combination += msm(&points, &weights);
            if !sigmas.is_empty() {
                lagrange += msm(&points, &lagrange_weights(&sigmas, start, end));
            }
            // N ≥ 2, so the first batch has two points.
            ends.get_or_insert((points[0], points[1]));
            last = (points[points.len() - 1], weights[points.len() - 1]);
            weight = last.1 * rho;
            start = end;
            self.advance(points.len());
        }
        reader.end()?;
        if !sigmas.is_empty() {
            lagrange -= self.levels::<P>(lagrange_section, &sigmas)?;
            if !lagrange.is_zero() {
                return Err(self.ptau.file.place(lagrange_section).malformed(
                    format!("the Lagrange form of section {section}"),
                    "points that are not",
                ));
            }
        }
        let (first, second) = ends.expect("a sequence has two points");
        Ok(Sequence {
            first,
            second,
            leading: combination - last.0 * last.1,
            following: (combination - first) * rho.inverse().expect("random, so not zero"),
        })
    }

    /// Σ_p Σ_i σ_p^(i+1) · (point i of level p).
    fn levels<P: FileCurve>(&mut self, section: u32, sigmas: &[Fr]) -> Result<Projective<P>> {
        let mut reader = self.ptau.file.read(section)?;
        let mut sum = Projective::<P>::ZERO;
        for (level, sigma) in sigmas.iter().enumerate() {
            let mut weight = *sigma;
            let mut left = 1u64 << level;
            while left > 0 {
                let points = read_points::<P>(&mut reader, left.min(BATCH) as usize)?;
                let weights: Vec<Fr> = powers_of(*sigma, weight).take(points.len()).collect();
                sum += msm(&points, &weights);
                weight = weights[points.len() - 1] * sigma;
                left -= points.len() as u64;
                self.advance(points.len());
            }
        }
        reader.end()?;
        Ok(sum)
    }

    fn advance(&mut self, points: usize) {
        self.done += points as u64;
        (self.progress)("checking powers of tau", self.done.min(self.total), self.total);
    }
}

/// Σ_p coefficient j of Σ_i σ_p^(i+1)·L_i^{(p)}(X), for start ≤ j < end.
fn lagrange_weights(sigmas: &[Fr], start: u64, end: u64) -> Vec<Fr> {
    let mut weights = vec![Fr::zero(); (end - start) as usize];
    for (level, sigma) in (0..).zip(sigmas) {
        let end = end.min(1 << level);
        if start < end {
            let level_weights = power_combination_coefficients(*sigma, level, start, end);
            for (weight, value) in weights.iter_mut().zip(level_weights) {
                *weight += value * sigma;
            }
        }
    }
    weights
}

fn msm<P: FileCurve>(points: &[Affine<P>], weights: &[Fr]) -> Projective<P> {
    Projective::<P>::msm_unchecked(points, weights)
}

fn hash_file(path: &Path) -> Result<([u8; 32], [u8; 64], u64)> {
    let io = NativeError::read(path);
    let mut file = File::open(path).map_err(&io)?;
    let mut buffer = vec![0; 1 << 20];
    let (mut sha256, mut blake2b, mut size) = (Sha256::new(), Blake2b512::new(), 0);
    loop {
        let count = file.read(&mut buffer).map_err(&io)?;
        if count == 0 {
            return Ok((sha256.finalize().into(), blake2b.finalize().into(), size));
        }
        rayon::join(|| sha256.update(&buffer[..count]), || blake2b.update(&buffer[..count]));
        size += count as u64;
    }
}
