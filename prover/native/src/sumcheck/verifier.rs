//! The verifier (protocol.md §9).

use super::claims::{Challenges, Values, functional, image_value, weights_at};
use super::descriptor::Key;
use super::error::Error;
use super::field::{F, scalar_bytes};
use super::mercury;
use super::proof::{Proof, Round, points_bytes, scalars_bytes};
use super::transcript::{Transcript, keccak};
use ark_ff::{AdditiveGroup, One, Zero};

/// What a proof is about.
pub struct Statement<'a> {
    /// 32 bytes big-endian.
    pub seed: [u8; 32],
    /// Absorbed as it is.
    pub context: [u8; 32],
    /// Row-major height × width × channels.
    pub pixels: &'a [u8],
    /// Expansion of the seed.
    pub latent: &'a [u8],
}

impl Statement<'_> {
    /// Sizes against the key.
    pub fn check(&self, key: &Key) -> Result<(), Error> {
        let image = &key.descriptor.image;
        let bytes = image.height * image.width * image.channels;
        if self.pixels.len() != bytes {
            return Err(Error::PublicInput(format!(
                "expected {bytes} pixel bytes, found {}",
                self.pixels.len()
            )));
        }
        let dimensions = key.descriptor.latent.dimensions;
        if self.latent.len() != dimensions {
            return Err(Error::PublicInput(format!(
                "expected {dimensions} latent bytes, found {}",
                self.latent.len()
            )));
        }
        Ok(())
    }

    /// First message: key digest ‖ seed ‖ context ‖ keccak256(pixels).
    pub fn message(&self, key: &Key) -> Vec<u8> {
        [key.digest, self.seed, self.context, keccak(&[self.pixels])].concat()
    }
}

/// Rounds that send c₀ and c₂: `c₁ = claim − 2c₀ − c₂`.
fn plain_rounds(rounds: &[Round], claim: F, transcript: &mut Transcript) -> (F, Vec<F>) {
    let mut claim = claim;
    let mut point = Vec::with_capacity(rounds.len());
    for round in rounds {
        let challenge = transcript.one(&scalars_bytes(round));
        let [c0, c2] = *round;
        let c1 = claim - c0.double() - c2;
        claim = c0 + challenge * (c1 + challenge * c2);
        point.push(challenge);
    }
    (claim, point)
}

/// Rounds with `eq(τ, ·)` factored out, that send c₁ and c₂: `c₀ = claim − τᵢ·(c₁ + c₂)`.
fn eq_rounds(rounds: &[Round], tau: &[F], claim: F, transcript: &mut Transcript) -> (F, Vec<F>) {
    let mut claim = claim;
    let mut point = Vec::with_capacity(rounds.len());
    for (round, tau) in rounds.iter().zip(tau) {
        let challenge = transcript.one(&scalars_bytes(round));
        let [c1, c2] = *round;
        let c0 = claim - *tau * (c1 + c2);
        claim = c0 + challenge * (c1 + challenge * c2);
        point.push(challenge);
    }
    (claim, point)
}

/// Accepts only proofs of the statement under the key.
pub fn verify(key: &Key, statement: &Statement, bytes: &[u8]) -> Result<(), Error> {
    let d = &key.descriptor;
    statement.check(key)?;
    let proof = Proof::read(d, bytes)?;
    let mut transcript = Transcript::default();
    let mut ch = Challenges::default();

    let mut message = statement.message(key);
    message.extend(points_bytes(&proof.first_commitments));
    let drawn = transcript.step(&message, 2);
    (ch.beta, ch.alpha) = (drawn[0], drawn[1]);

    let r = d.output_bits();
    let n = d.column_bits;
    let drawn = transcript.step(&points_bytes(&proof.second_commitments), r + n + 3);
    ch.r = drawn[..r].to_vec();
    (ch.gamma, ch.z) = (drawn[r], drawn[r + 1]);
    ch.tau = drawn[r + 2..r + 2 + n].to_vec();
    ch.lambda = drawn[r + 2 + n];

    transcript.one(&scalar_bytes(&proof.affine_sum));
    let (first_end, first) = plain_rounds(&proof.first_rounds, proof.affine_sum, &mut transcript);
    ch.first = first;
    ch.eta = transcript.one(&scalars_bytes(&proof.contracted));
    let mut sum = F::zero();
    for value in proof.contracted.iter().rev() {
        sum = sum * ch.eta + value;
    }
    let (second_end, second) = plain_rounds(&proof.second_rounds, sum, &mut transcript);
    ch.second = second;

    // Every cell's h·(α − f) is 1, so the zerocheck's sum is that of the powers of λ.
    let mut claim = F::zero();
    let mut lambda = F::one();
    for _ in 0..(1 + d.limbs) * d.columns.activation {
        claim += lambda;
        lambda *= ch.lambda;
    }
    let (zero_end, s) = eq_rounds(&proof.zero_rounds, &ch.tau, claim, &mut transcript);
    ch.s = s;
    ch.nu = transcript.one(&scalars_bytes(&proof.inverses));

    let values = Values {
        affine_sum: proof.affine_sum,
        first_end,
        contracted: proof.contracted.clone(),
        second_end,
        zero_end,
        inverses: proof.inverses.clone(),
    };
    let image = image_value(d, statement.pixels, ch.z);
    let merged = functional(key, &ch, &values, &d.latent_cells(statement.latent), image);
    let (end, rho) = plain_rounds(&proof.merge_rounds, merged.claim, &mut transcript);
    let mu = transcript.one(&scalars_bytes(&proof.columns));
    let explained: F = weights_at(d, &merged, &ch, &rho)
        .iter()
        .zip(&proof.columns)
        .map(|(weight, value)| *weight * value)
        .sum();
    if explained != end {
        return Err(Error::MergedClaim);
    }

    let mut scale = F::one();
    let mut value = F::zero();
    let mut commitments = Vec::with_capacity(proof.columns.len());
    for (commitment, column) in proof
        .first_commitments
        .iter()
        .chain(&proof.second_commitments)
        .chain(&key.table)
        .chain(&key.weight)
        .zip(&proof.columns)
    {
        commitments.push((*commitment, scale));
        value += scale * column;
        scale *= mu;
    }
    mercury::verify(&key.tau_g2, &commitments, &rho, value, &proof.opening, &mut transcript)
}
