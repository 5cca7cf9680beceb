//! The prover (protocol.md §4, §6–§8). Every proof is verified before it is returned.

use super::claims::{Challenges, Values, functional, image_value};
use super::descriptor::{Binding, Descriptor, Key, Region, expect_bytes};
use super::device::{CPU, Device, Opened};
use super::error::Error;
use super::field::F;
use super::kzg::{Srs, evaluate};
use super::lookups::find_rows;
use super::mercury::Univariate;
use super::msm::msm_small;
use super::multilinear::powers;
use super::phases::Task;
use super::proof::{ImageClaim, Proof, scalars_bytes};
use super::transcript::{Transcript, keccak};
use super::verifier::{Statement, draw_points, first_message, image_hash, verify};
use ark_bn254::G1Affine;
use rayon::prelude::*;
use std::time::Instant;

/// What only the prover has of a key.
pub struct ProvingKey {
    /// The public part.
    pub key: Key,
    /// At least one column of powers, and one a pixel where a commitment binds the image.
    pub srs: Srs,
    /// The cells of the key group.
    pub cells: Vec<i64>,
}

/// What the prover commits to.
#[derive(Clone)]
pub struct Witness {
    /// The cells of the first group. Those of the region m are found by the prover.
    pub first: Vec<i64>,
    /// A row of the table region that is counted once too often: for tests of what verifiers reject.
    pub forged_row: Option<usize>,
    /// One of the opening's values that is false: likewise.
    pub forged_value: Option<usize>,
}

/// What the proof is to be about.
pub struct Request<'a> {
    /// 32 bytes big-endian.
    pub seed: [u8; 32],
    /// Absorbed as it is.
    pub context: [u8; 32],
    /// Row-major height × width × channels.
    pub pixels: &'a [u8],
    /// Expansion of the seed.
    pub latent: &'a [u8],
    /// What was chosen besides the seed; empty where the key has no conditions.
    pub conditions: &'a [u8],
}

/// How strict the prover is with its own witness.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// Refuse unsatisfied witnesses, verify the proof before returning it.
    All,
    /// Prove whatever is given: for tests of what verifiers reject.
    None,
}

/// What one phase took, where it was done and, if that is not what was asked for, why.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Phase {
    pub name: &'static str,
    pub seconds: f64,
    pub device: String,
    pub note: Option<String>,
}

impl Phase {
    /// Why it was done on the CPU, for people.
    pub fn remark(&self) -> Option<String> {
        let reason = self.note.as_ref()?;
        Some(format!("{} done on the CPU instead: {reason}", self.name))
    }
}

/// The phases, in order.
pub type Timings = Vec<Phase>;

struct Clock<'a> {
    phase: Option<(&'static str, Instant)>,
    timings: Timings,
    progress: &'a (dyn Fn(&str) + Sync),
}

impl Clock<'_> {
    fn begin(&mut self, name: &'static str) {
        self.phase = Some((name, Instant::now()));
        (self.progress)(name);
    }

    /// Ends the phase; where it was done as `done_on` of the steps says.
    fn end(&mut self, (device, note): (String, Option<String>)) {
        if let Some((name, start)) = self.phase.take() {
            let seconds = start.elapsed().as_secs_f64();
            self.timings.push(Phase { name, seconds, device, note });
        }
    }
}

impl ProvingKey {
    /// Checks sizes.
    pub fn check(&self) -> Result<(), Error> {
        let d = &self.key.descriptor;
        let expect = |holds: bool, what: &str| {
            if holds { Ok(()) } else { Err(Error::Key(what.into())) }
        };
        expect(self.srs.powers.len() >= powers_needed(d), "too few powers of tau")?;
        expect(self.srs.tau_g2 == self.key.tau_g2, "powers of tau of another setup")?;
        expect(self.cells.len() == d.columns.key << d.column_bits, "cells of the key group")
    }
}

/// Powers of τ that a prover needs: one a row, and one a pixel where a commitment binds the image.
pub fn powers_needed(d: &Descriptor) -> usize {
    match d.image.binding {
        Binding::Pixels => d.rows(),
        Binding::Commitment => d.rows().max(d.pixels()),
    }
}

/// Commits to columns of integers.
pub fn commit_columns(srs: &Srs, column_bits: usize, cells: &[i64]) -> Vec<G1Affine> {
    let rows = 1usize << column_bits;
    cells.par_chunks(rows).map(|column| msm_small(&srs.powers[..column.len()], column)).collect()
}

/// Commits to an image (protocol.md §3.5).
pub fn commit_image(srs: &Srs, pixels: &[u8]) -> G1Affine {
    let pixels: Vec<i64> = pixels.iter().map(|&byte| i64::from(byte)).collect();
    msm_small(&srs.powers[..pixels.len()], &pixels)
}

/// Proves the statement.
///
/// # Errors
/// Sizes that do not fit the key; with [`Checks::All`] also a witness that does not satisfy the model; a
/// card that fails.
pub fn prove(
    pk: &ProvingKey,
    witness: Witness,
    request: &Request,
    checks: Checks,
    device: &Device,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(Vec<u8>, Timings), Error> {
    match device {
        // On a thread of the pool, so that small parallel steps need not wake it.
        Device::Cpu => rayon::scope(|_| prove_here(pk, witness, request, checks, device, progress)),
        // A card's context is one thread's.
        Device::Cuda { .. } => prove_here(pk, witness, request, checks, device, progress),
    }
}

fn prove_here(
    pk: &ProvingKey,
    witness: Witness,
    request: &Request,
    checks: Checks,
    device: &Device,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(Vec<u8>, Timings), Error> {
    let d = &pk.key.descriptor;
    pk.check()?;
    expect_bytes("pixel", d.pixels(), request.pixels)?;
    let publics = d.public_cells(request.latent, request.conditions)?;
    let mut clock = Clock { phase: None, timings: Vec::new(), progress };
    clock.begin("prepare");
    let device = device.open(&pk.srs)?;
    let mut first = witness.first;
    if first.len() != d.columns.first << d.column_bits {
        return Err(Error::Witness("cells of the first group".into()));
    }
    let mut transcript = Transcript::default();
    let mut ch = Challenges::default();
    let mut lookups = find_rows(pk, &first, checks)?;
    if let Some(count) = witness.forged_row.and_then(|row| lookups.multiplicity.get_mut(row)) {
        *count += 1;
    }
    let m = Region { bits: d.table.bits, offset: d.table.multiplicity };
    first[m.range()].copy_from_slice(&lookups.multiplicity);
    let task = Task::new(pk, &first, &publics, &lookups);
    clock.end((CPU.into(), None));

    clock.begin("commit");
    let mut proof = Proof { first_commitments: device.commit_columns(&task)?, ..Proof::default() };
    let hash = match d.image.binding {
        Binding::Pixels => keccak(&[request.pixels]),
        Binding::Commitment => {
            let commitment = commit_image(&pk.srs, request.pixels);
            proof.image = Some(ImageClaim { commitment, value: F::default() });
            image_hash(d, &commitment)
        }
    };
    let (seed, context) = (&request.seed, &request.context);
    let message =
        first_message(&pk.key, seed, context, &hash, request.conditions, &proof.first_message());
    let drawn = transcript.step(&message, 2);
    (ch.beta, ch.alpha) = (drawn[0], drawn[1]);
    clock.end(device.done_on());

    clock.begin("commit lookups");
    proof.second_commitments = device.commit_lookups(&task, &ch)?;
    draw_points(d, &proof.second_commitments, &mut ch, &mut transcript);
    clock.end(device.done_on());

    clock.begin("affine sumchecks");
    let image = proof.image.as_mut().map(|claim| {
        let polynomial: Vec<F> = request.pixels.iter().map(|&byte| F::from(byte)).collect();
        claim.value = evaluate(&polynomial, ch.z);
        Univariate { polynomial, at: ch.z, value: claim.value }
    });
    let (first_end, second_end) =
        device.prove_affine(&task, &mut ch, &mut proof, &mut transcript)?;
    clock.end(device.done_on());

    clock.begin("lookup sumcheck");
    let ((rounds, s, lookup_end), inverses) = device.prove_lookups(&task, &ch, &mut transcript)?;
    ch.s = s;
    proof.lookup_rounds = rounds;
    proof.inverses = inverses;
    ch.nu = transcript.one(&scalars_bytes(&proof.inverses));
    clock.end(device.done_on());

    clock.begin("merging sumcheck");
    let values = Values {
        affine_sum: proof.affine_sum,
        first_end,
        contracted: proof.contracted.clone(),
        second_end,
        lookup_end,
        inverses: proof.inverses.clone(),
    };
    let image_claim = match &proof.image {
        None => image_value(d, request.pixels, ch.z),
        Some(image) => image.value,
    };
    let merged = functional(&pk.key, &ch, &values, &publics, image_claim);
    let ((rounds, rho, _), columns) = device.prove_merge(&task, &ch, &merged, &mut transcript)?;
    proof.merge_rounds = rounds;
    proof.columns = columns;
    let mu = transcript.one(&scalars_bytes(&proof.columns));
    clock.end(device.done_on());

    clock.begin("opening");
    let opened = Opened {
        scales: &powers(mu, proof.columns.len()),
        point: &rho,
        image: image.as_ref(),
        forged_value: witness.forged_value,
    };
    proof.opening = device.open(&task, &ch, &opened, &mut transcript)?;
    let bytes = proof.write();
    clock.end(device.done_on());
    if checks == Checks::All {
        clock.begin("verify");
        let image = if proof.image.is_some() { &hash } else { request.pixels };
        let statement = Statement {
            seed: request.seed,
            context: request.context,
            image,
            latent: request.latent,
            conditions: request.conditions,
        };
        verify(&pk.key, &statement, &bytes)?;
        clock.end((CPU.into(), None));
    }
    Ok((bytes, clock.timings))
}
