//! The verifier (protocol.md §9).

use super::claims::{Challenges, Values, functional, image_value, lookup_claim, weights_at};
use super::descriptor::{Binding, Descriptor, Key, expect_bytes};
use super::error::Error;
use super::field::{F, point_bytes};
use super::kzg::evaluate;
use super::mercury::{self, Univariate};
use super::proof::{Proof, Round, points_bytes, scalars_bytes};
use super::transcript::{Transcript, keccak};
use ark_bn254::G1Affine;
use ark_ff::{AdditiveGroup, One, Zero};

/// What a proof is about.
pub struct Statement<'a> {
    /// 32 bytes big-endian.
    pub seed: [u8; 32],
    /// Absorbed as it is.
    pub context: [u8; 32],
    /// Row-major height × width × channels, or the 32 bytes of the image hash where the key binds images
    /// by a commitment.
    pub image: &'a [u8],
    /// Expansion of the seed.
    pub latent: &'a [u8],
    /// What was chosen besides the seed; empty where the key has no conditions.
    pub conditions: &'a [u8],
}

impl Statement<'_> {
    /// Compares sizes with the key; the cells of the public blocks.
    pub fn check(&self, key: &Key) -> Result<Vec<Vec<i64>>, Error> {
        let d = &key.descriptor;
        match d.image.binding {
            Binding::Pixels => expect_bytes("pixel", d.pixels(), self.image)?,
            Binding::Commitment => expect_bytes("image hash", 32, self.image)?,
        }
        d.public_cells(self.latent, self.conditions)
    }
}

/// The image hash of a commitment (protocol.md §3.5).
pub fn image_hash(d: &Descriptor, commitment: &G1Affine) -> [u8; 32] {
    let number = |n: usize| {
        let mut bytes = [0u8; 32];
        bytes[24..].copy_from_slice(&(n as u64).to_be_bytes());
        bytes
    };
    let image = &d.image;
    let mut hash = keccak(&[
        &keccak(&[b"platemark.image.kzg.v1"]),
        &number(image.height),
        &number(image.width),
        &number(image.channels),
        &point_bytes(commitment),
    ]);
    hash[0] = 1;
    hash
}

/// First message: key digest ‖ seed ‖ context ‖ image hash ‖ hash of the conditions, if there are any ‖
/// first commitments.
pub fn first_message(
    key: &Key,
    seed: &[u8; 32],
    context: &[u8; 32],
    image_hash: &[u8; 32],
    conditions: &[u8],
    first_commitments: &[u8],
) -> Vec<u8> {
    let mut message = [&key.digest, seed, context, image_hash].map(|part| &part[..]).concat();
    if !key.descriptor.conditions.is_empty() {
        message.extend_from_slice(&keccak(&[conditions]));
    }
    message.extend_from_slice(first_commitments);
    message
}

/// Draws what the second commitments decide: r, γ, z, τ, λ.
pub fn draw_points(
    d: &Descriptor,
    commitments: &[G1Affine],
    ch: &mut Challenges,
    t: &mut Transcript,
) {
    let (r, n) = (d.output_bits(), d.lookup_bits());
    let drawn = t.step(&points_bytes(commitments), r + n + 3);
    ch.r = drawn[..r].to_vec();
    (ch.gamma, ch.z) = (drawn[r], drawn[r + 1]);
    ch.tau = drawn[r + 2..r + 2 + n].to_vec();
    ch.lambda = drawn[r + 2 + n];
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
    let publics = statement.check(key)?;
    let proof = Proof::read(d, bytes)?;
    let mut transcript = Transcript::default();
    let mut ch = Challenges::default();

    let hash = match &proof.image {
        None => keccak(&[statement.image]),
        Some(image) => image_hash(d, &image.commitment),
    };
    if proof.image.is_some() && hash != *statement.image {
        return Err(Error::Image);
    }
    let (seed, context) = (&statement.seed, &statement.context);
    let message =
        first_message(key, seed, context, &hash, statement.conditions, &proof.first_message());
    let drawn = transcript.step(&message, 2);
    (ch.beta, ch.alpha) = (drawn[0], drawn[1]);
    draw_points(d, &proof.second_commitments, &mut ch, &mut transcript);

    transcript.one(&proof.sum_message());
    let (first_end, first) = plain_rounds(&proof.first_rounds, proof.affine_sum, &mut transcript);
    ch.first = first;
    ch.eta = transcript.one(&scalars_bytes(&proof.contracted));
    let sum = evaluate(&proof.contracted, ch.eta);
    let (second_end, second) = plain_rounds(&proof.second_rounds, sum, &mut transcript);
    ch.second = second;

    let claim = lookup_claim(d, &ch);
    let (lookup_end, s) = eq_rounds(&proof.lookup_rounds, &ch.tau, claim, &mut transcript);
    ch.s = s;
    ch.nu = transcript.one(&scalars_bytes(&proof.inverses));

    let values = Values {
        affine_sum: proof.affine_sum,
        first_end,
        contracted: proof.contracted.clone(),
        second_end,
        lookup_end,
        inverses: proof.inverses.clone(),
    };
    let image = match &proof.image {
        None => image_value(d, statement.image, ch.z),
        Some(image) => image.value,
    };
    let merged = functional(key, &ch, &values, &publics, image);
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
        .chain(&key.commitments)
        .zip(&proof.columns)
    {
        commitments.push((*commitment, scale));
        value += scale * column;
        scale *= mu;
    }
    let image = proof.image.map(|image| Univariate {
        polynomial: image.commitment,
        at: ch.z,
        value: image.value,
    });
    let opening = &proof.opening;
    mercury::verify(
        &key.tau_g2,
        &commitments,
        &rho,
        value,
        image.as_ref(),
        opening,
        &mut transcript,
    )
}
