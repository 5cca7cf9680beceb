//! The prover (protocol.md §4, §6–§8). Every proof is verified before it is returned.

use super::affine::{Prepared, contract_weights, copy_factor, prepare, term_weights};
use super::claims::{Challenges, Values, functional, image_value, lookup_claim};
use super::descriptor::{Binding, Descriptor, Key, Node, Region, expect_bytes, scalar};
use super::device::{Device, Steps};
use super::error::Error;
use super::field::{F, from_i64};
use super::kzg::{Srs, evaluate};
use super::lookups::{Fractions, Lookups, find_rows};
use super::mercury::Univariate;
use super::merge::Groups;
use super::msm::msm_small;
use super::multilinear::{inner_product, powers};
use super::proof::{ImageClaim, Proof, scalars_bytes};
use super::rounds::{Constant, Product};
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

/// Seconds per phase, in order.
pub type Timings = Vec<(&'static str, f64)>;

struct Clock<'a> {
    phase: Option<(&'static str, Instant)>,
    timings: Timings,
    progress: &'a (dyn Fn(&str) + Sync),
}

impl Clock<'_> {
    fn begin(&mut self, name: &'static str) {
        self.end();
        self.phase = Some((name, Instant::now()));
        (self.progress)(name);
    }

    fn end(&mut self) {
        if let Some((name, start)) = self.phase.take() {
            self.timings.push((name, start.elapsed().as_secs_f64()));
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
    let device = device.open(&pk.srs)?;
    expect_bytes("pixel", d.pixels(), request.pixels)?;
    let publics = d.public_cells(request.latent, request.conditions)?;
    let mut first = witness.first;
    if first.len() != d.columns.first << d.column_bits {
        return Err(Error::Witness("cells of the first group".into()));
    }
    let mut clock = Clock { phase: None, timings: Vec::new(), progress };
    let mut transcript = Transcript::default();
    let mut ch = Challenges::default();

    clock.begin("commit");
    let mut lookups = find_rows(pk, &first, checks)?;
    if let Some(count) = witness.forged_row.and_then(|row| lookups.multiplicity.get_mut(row)) {
        *count += 1;
    }
    let m = Region { bits: d.table.bits, offset: d.table.multiplicity };
    first[m.range()].copy_from_slice(&lookups.multiplicity);
    let mut proof = Proof {
        first_commitments: device.commit_columns(d.column_bits, &first)?,
        ..Proof::default()
    };
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

    clock.begin("commit lookups");
    let fractions = lookups.fractions(pk, ch.beta, ch.alpha);
    proof.second_commitments = device.commit_lookups(d, &lookups, &fractions)?;
    draw_points(d, &proof.second_commitments, &mut ch, &mut transcript);

    clock.begin("affine sumchecks");
    let image = proof.image.as_mut().map(|claim| {
        let polynomial: Vec<F> = request.pixels.iter().map(|&byte| F::from(byte)).collect();
        claim.value = evaluate(&polynomial, ch.z);
        Univariate { polynomial, at: ch.z, value: claim.value }
    });
    let cells = Cells { d, key: &pk.cells, first: &first, publics: &publics };
    let (first_end, second_end) =
        prove_affine(&cells, &*device, &mut ch, &mut proof, &mut transcript)?;

    clock.begin("lookup sumcheck");
    let summands = lookup_summands(d, &lookups, &fractions, &ch);
    let lookup_end = prove_lookups(d, summands, &*device, &mut ch, &mut proof, &mut transcript)?;
    ch.nu = transcript.one(&scalars_bytes(&proof.inverses));

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
    let second = lookups.columns(d, &fractions);
    drop((lookups, fractions));
    let groups = Groups { first: &first, second: &second, key: &pk.cells };
    let mut products = groups.products(d, &merged, &ch);
    let (rounds, rho, _) =
        device.prove_plain(&mut products, merged.claim, d.column_bits, &mut transcript)?;
    proof.merge_rounds = rounds;
    proof.columns = products.iter().map(|product| product.ends().0).collect();
    drop(products);
    let mu = transcript.one(&scalars_bytes(&proof.columns));

    clock.begin("opening");
    let combined = groups.combine(&powers(mu, proof.columns.len()), d.rows());
    proof.opening =
        device.open(&combined, &rho, image.as_ref(), witness.forged_value, &mut transcript)?;
    let bytes = proof.write();
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
    }
    clock.end();
    Ok((bytes, clock.timings))
}

/// What the lookup sumcheck is about: h·(α − f) = 1 on cells, g·(α − t) − m = 0 on rows.
fn lookup_summands(
    d: &Descriptor,
    lookups: &Lookups,
    fractions: &Fractions,
    ch: &Challenges,
) -> [Constant; 2] {
    let lambda = powers(ch.lambda, d.limbs + 2);
    let of_rows = |rows: &[u32], values: &[F]| -> Vec<F> {
        rows.par_iter().with_min_len(4096).map(|row| values[*row as usize]).collect()
    };
    let scaled = |values: &[F], scale: F| -> Vec<F> {
        values.par_iter().with_min_len(4096).map(|v| scale * v).collect()
    };
    let cells = Constant {
        products: lookups
            .rows
            .iter()
            .zip(&lambda)
            .map(|(rows, &scale)| {
                let differences = scaled(&fractions.differences, scale);
                (of_rows(rows, &fractions.inverses), of_rows(rows, &differences))
            })
            .collect(),
        linear: Vec::new(),
        value: lambda[..=d.limbs].iter().sum(),
        bits: d.activation.bits,
    };
    let scale = lambda[d.limbs + 1];
    let count = lookups.multiplicity.len();
    let rows = Constant {
        products: vec![(fractions.table.clone(), scaled(&fractions.differences[..count], scale))],
        linear: lookups.multiplicity.iter().map(|m| -scale * from_i64(*m)).collect(),
        value: F::default(),
        bits: d.table.bits,
    };
    [cells, rows]
}

/// The lookup sumcheck. Returns the last claim.
fn prove_lookups(
    d: &Descriptor,
    mut parts: [Constant; 2],
    device: &dyn Steps,
    ch: &mut Challenges,
    proof: &mut Proof,
    transcript: &mut Transcript,
) -> Result<F, Error> {
    let claim = lookup_claim(d, ch);
    let (rounds, s, end) = device.prove_eq(&mut parts, claim, &ch.tau, transcript)?;
    ch.s = s;
    proof.lookup_rounds = rounds;
    proof.inverses = parts.iter().flat_map(|part| part.products.iter().map(|p| p.0[0])).collect();
    Ok(end)
}

/// Factors of the second phase.
enum Pending {
    /// Known after the first phase.
    Term(Prepared),
    /// A copy's, known at once.
    Ready(Vec<F>, Vec<F>),
}

/// What the affine argument is about.
struct Cells<'a> {
    d: &'a Descriptor,
    key: &'a [i64],
    first: &'a [i64],
    publics: &'a [Vec<i64>],
}

impl<'a> Cells<'a> {
    /// The values of a block.
    fn values(&self, index: usize) -> &'a [i64] {
        let block = &self.d.blocks[index];
        match self.d.values_at(block) {
            None => &self.publics[index],
            Some(offset) => &self.first[Region { bits: block.bits(), offset }.range()],
        }
    }
}

/// Both phases of the affine argument (protocol.md §6.1–§6.3). Returns their last claims.
fn prove_affine(
    cells: &Cells,
    device: &dyn Steps,
    ch: &mut Challenges,
    proof: &mut Proof,
    transcript: &mut Transcript,
) -> Result<(F, F), Error> {
    let d = cells.d;
    let (first_count, second_count, _) = d.affine_rounds();
    let mut products = Vec::new();
    let mut lengths = Vec::new();
    // Second-phase factors of copies are ready at once, those of terms after the first phase.
    let mut pending: Vec<Pending> = Vec::new();
    let mut sum = F::default();
    let mut gamma = F::from(1u64);
    for node in &d.nodes {
        let output = &d.blocks[node.output()];
        let r = ch.output_point(output.bits());
        match node {
            Node::Copy { input, input_axes, .. } => {
                let values = to_field(cells.values(*input));
                let wire = copy_factor(input_axes, output, &d.blocks[*input], r);
                let value = inner_product(&values, &wire);
                sum += gamma * value;
                lengths.push(1);
                products.push(Product::new(vec![gamma], vec![value]));
                pending.push(Pending::Ready(values, wire));
            }
            Node::Affine { multiplier, terms, .. } => {
                let scale = gamma * scalar(*multiplier);
                for term in terms {
                    let input = &d.blocks[term.input];
                    let weights =
                        term_weights(d, term, output, cells.key, |block| cells.values(block));
                    let mut weights = contract_weights(term, output, input, r, &weights);
                    weights.iter_mut().for_each(|w| *w *= scale);
                    let prepared = prepare(term, output, input, r, cells.values(term.input));
                    let inputs = prepared.contracted_inputs();
                    sum += inner_product(&weights, &inputs);
                    lengths.push(weights.len());
                    products.push(Product::new(weights, inputs));
                    pending.push(Pending::Term(prepared));
                }
            }
        }
        gamma *= ch.gamma;
    }
    proof.affine_sum = sum;
    transcript.one(&proof.sum_message());
    let (rounds, first, first_end) =
        device.prove_plain(&mut products, sum, first_count, transcript)?;
    ch.first = first;
    proof.first_rounds = rounds;
    proof.contracted = products.iter().map(|product| product.ends().1).collect();
    ch.eta = transcript.one(&scalars_bytes(&proof.contracted));
    let mut eta = F::from(1u64);
    let mut products: Vec<Product> = pending
        .into_iter()
        .zip(lengths)
        .map(|(entry, length)| {
            let (input, mut wire) = match entry {
                Pending::Term(prepared) => {
                    prepared.second_factors(&ch.first[..length.trailing_zeros() as usize])
                }
                Pending::Ready(input, wire) => (input, wire),
            };
            wire.iter_mut().for_each(|w| *w *= eta);
            eta *= ch.eta;
            Product::new(input, wire)
        })
        .collect();
    let claim = evaluate(&proof.contracted, ch.eta);
    let (rounds, second, second_end) =
        device.prove_plain(&mut products, claim, second_count, transcript)?;
    ch.second = second;
    proof.second_rounds = rounds;
    Ok((first_end, second_end))
}

fn to_field(values: &[i64]) -> Vec<F> {
    values.par_iter().with_min_len(4096).map(|v| from_i64(*v)).collect()
}
