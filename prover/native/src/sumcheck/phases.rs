//! The sumchecks of a proof (protocol.md §6), and what they are about. Whoever does the heavy steps on a
//! card takes the order of messages from here.

use super::affine::{Prepared, contract_weights, copy_factor, prepare, term_weights};
use super::claims::{Challenges, lookup_claim};
use super::descriptor::{Block, Descriptor, Node, Region, Term, scalar};
use super::device::Rounds;
use super::error::Error;
use super::field::{F, from_i64};
use super::kzg::evaluate;
use super::lookups::{Fractions, Lookups};
use super::merge::Groups;
use super::multilinear::{inner_product, powers};
use super::proof::{Proof, scalars_bytes};
use super::prover::ProvingKey;
use super::rounds::{self, Constant, Product};
use super::transcript::Transcript;
use ark_ff::One;
use rayon::prelude::*;
use std::sync::OnceLock;

/// What a proof is about.
pub struct Task<'a> {
    /// Key and powers.
    pub pk: &'a ProvingKey,
    /// The cells of the first group.
    pub first: &'a [i64],
    /// The cells of the public blocks.
    pub publics: &'a [Vec<i64>],
    /// Which rows the cells read.
    pub lookups: &'a Lookups,
    fractions: OnceLock<Fractions>,
    second: OnceLock<Vec<F>>,
}

impl<'a> Task<'a> {
    /// Of one execution.
    pub fn new(
        pk: &'a ProvingKey,
        first: &'a [i64],
        publics: &'a [Vec<i64>],
        lookups: &'a Lookups,
    ) -> Self {
        Self { pk, first, publics, lookups, fractions: OnceLock::new(), second: OnceLock::new() }
    }

    /// The model.
    pub fn descriptor(&self) -> &'a Descriptor {
        &self.pk.key.descriptor
    }

    /// What β and α decide; made when it is first asked for.
    pub fn fractions(&self, ch: &Challenges) -> &Fractions {
        self.fractions.get_or_init(|| self.lookups.fractions(self.pk, ch.beta, ch.alpha))
    }

    /// All columns; those of the second group are made when they are first asked for.
    pub fn groups(&self, ch: &Challenges) -> Groups<'_> {
        let second =
            self.second.get_or_init(|| self.lookups.columns(self.descriptor(), self.fractions(ch)));
        Groups { first: self.first, second, key: &self.pk.cells }
    }

    /// The values of a block.
    pub fn values(&self, index: usize) -> &'a [i64] {
        let d = self.descriptor();
        let block = &d.blocks[index];
        match d.values_at(block) {
            None => &self.publics[index],
            Some(offset) => &self.first[Region { bits: block.bits(), offset }.range()],
        }
    }
}

/// What the lookup sumcheck is about: h·(α − f) = 1 on cells, g·(α − t) − m = 0 on rows.
fn lookup_summands(task: &Task, ch: &Challenges) -> [Constant; 2] {
    let (d, lookups, fractions) = (task.descriptor(), task.lookups, task.fractions(ch));
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

/// The lookup sumcheck, and the values h₀ … h_L, g where it ends.
pub fn prove_lookups(
    task: &Task,
    ch: &Challenges,
    transcript: &mut Transcript,
) -> (Rounds, Vec<F>) {
    let mut parts = lookup_summands(task, ch);
    let claim = lookup_claim(task.descriptor(), ch);
    let found = rounds::prove_eq(&mut parts, claim, &ch.tau, transcript);
    (found, parts.iter().flat_map(|part| part.products.iter().map(|p| p.0[0])).collect())
}

/// The factors of the affine argument's summands.
pub trait AffineTables {
    /// Adds a copy with its factor γ^j; returns its share of A.
    fn add_copy(&mut self, copy: &Node, r: &[F], gamma: F) -> Result<F, Error>;

    /// Adds a term of a node that fills `output`, with its factor; returns its share of A.
    fn add_term(&mut self, term: &Term, output: &Block, r: &[F], scale: F) -> Result<F, Error>;

    /// The first phase, and the values of the inputs' factors where it ends.
    fn prove_first(
        &mut self,
        claim: F,
        count: usize,
        transcript: &mut Transcript,
    ) -> Result<(Rounds, Vec<F>), Error>;

    /// The second phase: summand t at the first phase's point, with the factor η^t.
    fn prove_second(
        &mut self,
        point: &[F],
        eta: F,
        claim: F,
        count: usize,
        transcript: &mut Transcript,
    ) -> Result<Rounds, Error>;
}

/// Both phases of the affine argument (protocol.md §6.1–§6.3). Returns their last claims.
pub fn prove_affine(
    task: &Task,
    tables: &mut dyn AffineTables,
    ch: &mut Challenges,
    proof: &mut Proof,
    transcript: &mut Transcript,
) -> Result<(F, F), Error> {
    let d = task.descriptor();
    let (first_count, second_count, _) = d.affine_rounds();
    let mut sum = F::default();
    let mut gamma = F::one();
    for node in &d.nodes {
        let output = &d.blocks[node.output()];
        let r = ch.output_point(output.bits());
        match node {
            Node::Copy { .. } => sum += tables.add_copy(node, r, gamma)?,
            Node::Affine { multiplier, terms, .. } => {
                let scale = gamma * scalar(*multiplier);
                for term in terms {
                    sum += tables.add_term(term, output, r, scale)?;
                }
            }
        }
        gamma *= ch.gamma;
    }
    proof.affine_sum = sum;
    transcript.one(&proof.sum_message());
    let ((rounds, first, first_end), contracted) =
        tables.prove_first(sum, first_count, transcript)?;
    ch.first = first;
    proof.first_rounds = rounds;
    proof.contracted = contracted;
    ch.eta = transcript.one(&scalars_bytes(&proof.contracted));
    let claim = evaluate(&proof.contracted, ch.eta);
    let (rounds, second, second_end) =
        tables.prove_second(&ch.first, ch.eta, claim, second_count, transcript)?;
    ch.second = second;
    proof.second_rounds = rounds;
    Ok((first_end, second_end))
}

/// Factors of the second phase.
enum Pending {
    /// Known after the first phase, of so many variables.
    Term(Prepared, usize),
    /// A copy's, known at once.
    Ready(Vec<F>, Vec<F>),
}

/// The factors on the processor.
pub struct AffineOnCpu<'a> {
    task: &'a Task<'a>,
    products: Vec<Product<'static>>,
    pending: Vec<Pending>,
}

impl<'a> AffineOnCpu<'a> {
    /// Without summands.
    pub fn new(task: &'a Task<'a>) -> Self {
        Self { task, products: Vec::new(), pending: Vec::new() }
    }
}

impl AffineTables for AffineOnCpu<'_> {
    fn add_copy(&mut self, copy: &Node, r: &[F], gamma: F) -> Result<F, Error> {
        let Node::Copy { output, input, input_axes } = copy else { return Ok(F::default()) };
        let d = self.task.descriptor();
        let values = to_field(self.task.values(*input));
        let wire = copy_factor(input_axes, &d.blocks[*output], &d.blocks[*input], r);
        let value = inner_product(&values, &wire);
        self.products.push(Product::new(vec![gamma], vec![value]));
        self.pending.push(Pending::Ready(values, wire));
        Ok(gamma * value)
    }

    fn add_term(&mut self, term: &Term, output: &Block, r: &[F], scale: F) -> Result<F, Error> {
        let (task, d) = (self.task, self.task.descriptor());
        let input = &d.blocks[term.input];
        let weights = term_weights(d, term, output, &task.pk.cells, |block| task.values(block));
        let mut weights = contract_weights(term, output, input, r, &weights);
        weights.iter_mut().for_each(|w| *w *= scale);
        let prepared = prepare(term, output, input, r, task.values(term.input));
        let inputs = prepared.contracted_inputs();
        let sum = inner_product(&weights, &inputs);
        let variables = weights.len().trailing_zeros() as usize;
        self.products.push(Product::new(weights, inputs));
        self.pending.push(Pending::Term(prepared, variables));
        Ok(sum)
    }

    fn prove_first(
        &mut self,
        claim: F,
        count: usize,
        transcript: &mut Transcript,
    ) -> Result<(Rounds, Vec<F>), Error> {
        let mut products = std::mem::take(&mut self.products);
        let found = rounds::prove_plain(&mut products, claim, count, transcript);
        Ok((found, products.iter().map(|product| product.ends().1).collect()))
    }

    fn prove_second(
        &mut self,
        point: &[F],
        eta: F,
        claim: F,
        count: usize,
        transcript: &mut Transcript,
    ) -> Result<Rounds, Error> {
        let mut scale = F::one();
        let mut products: Vec<Product> = std::mem::take(&mut self.pending)
            .into_iter()
            .map(|entry| {
                let (input, mut wire) = match entry {
                    Pending::Term(prepared, variables) => {
                        prepared.second_factors(&point[..variables])
                    }
                    Pending::Ready(input, wire) => (input, wire),
                };
                wire.iter_mut().for_each(|w| *w *= scale);
                scale *= eta;
                Product::new(input, wire)
            })
            .collect();
        Ok(rounds::prove_plain(&mut products, claim, count, transcript))
    }
}

fn to_field(values: &[i64]) -> Vec<F> {
    values.par_iter().with_min_len(4096).map(|v| from_i64(*v)).collect()
}
