//! Executes a model from its key alone (protocol.md §3): the cells that a proof commits to first. The
//! definition is the integer executor of `model-export/`; this one is for large models, on all cores or on a
//! card. Nothing relies on it: a proof of wrong cells does not verify.

use super::affine::term_weights;
use super::descriptor::{Block, Descriptor, Node, Region, Term};
use super::error::Error;
use super::prover::ProvingKey;
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a model computes from the public inputs.
pub struct Execution {
    /// The cells of the first group, multiplicities zero.
    pub first: Vec<i64>,
    /// Row-major height × width × channels.
    pub pixels: Vec<u8>,
}

/// An index of a term: what it adds to the places in output, weight and input.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Step {
    /// Cell of the output block.
    pub output: u32,
    /// Address in the weights.
    pub weight: u32,
    /// Cell of the input block.
    pub input: u32,
}

/// The sums of a term: for every combination of `outer`, `down` and `across`, over `inner` and the related
/// taps of both kernel axes.
pub struct TermIndex {
    /// Output, group and row axes.
    pub outer: Vec<Step>,
    /// Contracted axes.
    pub inner: Vec<Step>,
    /// Positions of the first kernel axis.
    pub down: Positions,
    /// Positions of the second one.
    pub across: Positions,
}

/// Positions along one kernel axis.
pub struct Positions {
    /// What each adds to the cell of the output.
    pub outputs: Vec<u32>,
    /// `taps[starts[i]..starts[i + 1]]` are those of position i.
    pub starts: Vec<u32>,
    /// Weights' and inputs' parts.
    pub taps: Vec<Step>,
}

impl Positions {
    fn one() -> Self {
        Self { outputs: vec![0], starts: vec![0, 1], taps: vec![Step::default()] }
    }

    /// For every weight's part the positions that have it, each with the input's part.
    fn by_weight(&self) -> Vec<(u32, Vec<(u32, u32)>)> {
        let mut found: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
        for (x, range) in self.starts.windows(2).enumerate() {
            for tap in &self.taps[range[0] as usize..range[1] as usize] {
                found.entry(tap.weight).or_default().push((x as u32, tap.input));
            }
        }
        found.into_iter().collect()
    }
}

/// All sums of one step of each list.
fn combine(lists: [&[Step]; 3]) -> Vec<Step> {
    lists.iter().fold(vec![Step::default()], |all, list| {
        all.iter()
            .flat_map(|a| {
                list.iter().map(move |b| Step {
                    output: a.output + b.output,
                    weight: a.weight + b.weight,
                    input: a.input + b.input,
                })
            })
            .collect()
    })
}

impl TermIndex {
    /// Of a term.
    pub fn new(term: &Term, output: &Block, input: &Block) -> Self {
        let bits = term.bits(output, input);
        let pair = |pairs: &[[usize; 2]]| -> (Vec<usize>, Vec<usize>) {
            pairs.iter().map(|p| (p[0], p[1])).unzip()
        };
        let step = |y: usize, w: usize, u: usize| Step {
            output: y as u32,
            weight: w as u32,
            input: u as u32,
        };
        let own = &term.output_axes;
        let outputs = output.places(own).into_iter().zip(output.addresses(own));
        let outputs: Vec<Step> = outputs.map(|(y, w)| step(y, w << bits.first(), 0)).collect();
        let (own, other) = pair(&term.group_axes);
        let places = output.places(&own).into_iter().zip(input.places(&other));
        let groups: Vec<Step> = places
            .zip(input.addresses(&other))
            .map(|((y, u), w)| step(y, w << (bits.contract + bits.kernel), u))
            .collect();
        let (own, other) = pair(&term.row_axes);
        let places = output.places(&own).into_iter().zip(input.places(&other));
        let rows: Vec<Step> = places.map(|(y, u)| step(y, 0, u)).collect();
        let own = &term.contract_axes;
        let contracted = input.places(own).into_iter().zip(input.addresses(own));
        let inner = contracted.map(|(u, w)| step(0, w << bits.kernel, u)).collect();
        let mut axes = [Positions::one(), Positions::one()];
        for spatial in &term.spatial {
            let (outs, ins) = (output.places(&spatial.output), input.places(&spatial.input));
            let size = term.kernel[spatial.kernel_axis];
            let stride = if spatial.kernel_axis == 0 { term.kernel[1] } else { 1 };
            let mut taps = vec![Vec::new(); outs.len()];
            for [y, k, u] in spatial.triples(outs.len(), size, ins.len()) {
                taps[y].push(step(0, k * stride, ins[u]));
            }
            let mut starts = vec![0];
            starts.extend(taps.iter().scan(0, |sum, own| {
                *sum += own.len() as u32;
                Some(*sum)
            }));
            let outputs = outs.into_iter().map(|y| y as u32).collect();
            axes[spatial.kernel_axis] = Positions { outputs, starts, taps: taps.concat() };
        }
        let [down, across] = axes;
        Self { outer: combine([&outputs, &groups, &rows]), inner, down, across }
    }

    /// Adding the bias: a term of one weight a cell and the input 1.
    pub fn of_bias(axes: &[usize], output: &Block) -> Self {
        let others: Vec<usize> =
            (0..output.axes.len()).filter(|axis| !axes.contains(axis)).collect();
        let places = output.places(axes).into_iter().zip(output.addresses(axes));
        let own: Vec<Step> =
            places.map(|(y, w)| Step { output: y as u32, weight: w as u32, input: 0 }).collect();
        let rest: Vec<Step> = output
            .places(&others)
            .into_iter()
            .map(|y| Step { output: y as u32, ..Step::default() })
            .collect();
        Self {
            outer: combine([&own, &rest, &[Step::default()]]),
            inner: vec![Step::default()],
            down: Positions::one(),
            across: Positions::one(),
        }
    }

    /// Adds the term to the accumulators of its output block.
    pub fn add(&self, weights: &[i64], input: &[i64], accumulators: &mut [i64]) {
        let (down, across) = (&self.down, &self.across);
        let width = across.outputs.len();
        let columns = across.by_weight();
        let sums: Vec<Vec<i64>> = self
            .outer
            .par_iter()
            .map(|outer| {
                let mut plane = vec![0i64; down.outputs.len() * width];
                for inner in &self.inner {
                    let weights = &weights[(outer.weight + inner.weight) as usize..];
                    let input = &input[(outer.input + inner.input) as usize..];
                    for (row, taps) in plane.chunks_mut(width).zip(down.starts.windows(2)) {
                        for tap in &down.taps[taps[0] as usize..taps[1] as usize] {
                            let weights = &weights[tap.weight as usize..];
                            let input = &input[tap.input as usize..];
                            for (at, places) in &columns {
                                let weight = weights[*at as usize];
                                if weight != 0 {
                                    for &(x, u) in places {
                                        row[x as usize] += weight * input[u as usize];
                                    }
                                }
                            }
                        }
                    }
                }
                plane
            })
            .collect();
        for (outer, plane) in self.outer.iter().zip(sums) {
            for (row, y) in plane.chunks(width).zip(&down.outputs) {
                for (sum, x) in row.iter().zip(&across.outputs) {
                    accumulators[(outer.output + y + x) as usize] += sum;
                }
            }
        }
    }
}

/// Executes a model from the expansion of the seed and the conditions.
///
/// # Errors
/// A quotient outside its table, which no model has that was compiled; a inputs of another length, a class that is none.
pub fn execute(pk: &ProvingKey, latent: &[u8], conditions: &[u8]) -> Result<Execution, Error> {
    let d = &pk.key.descriptor;
    let publics = d.public_cells(latent, conditions)?;
    let mut first = vec![0; d.columns.first << d.column_bits];
    for node in &d.nodes {
        let block = &d.blocks[node.output()];
        match node {
            Node::Copy { input, input_axes, .. } => {
                let from = &d.blocks[*input];
                let values = block_values(d, &first, &publics, *input);
                let order: Vec<i64> =
                    from.places(input_axes).into_iter().map(|place| values[place]).collect();
                if let Some(start) = d.values_at(block) {
                    for (cell, value) in block.cells().into_iter().zip(order) {
                        first[start + cell] = value;
                    }
                }
            }
            Node::Affine { bias, terms, .. } => {
                let mut sums = vec![0i64; 1 << block.bits()];
                if let Some(bias) = bias {
                    let index = TermIndex::of_bias(&bias.axes, block);
                    index.add(&pk.cells[bias.offset..], &[1], &mut sums);
                }
                for term in terms {
                    let weights: Cow<[i64]> = term_weights(d, term, block, &pk.cells, |own| {
                        block_values(d, &first, &publics, own)
                    });
                    let input = block_values(d, &first, &publics, term.input);
                    let index = TermIndex::new(term, block, &d.blocks[term.input]);
                    index.add(&weights, input, &mut sums);
                }
                requantize(pk, node, block, &sums, &mut first)?;
            }
        }
    }
    let pixels = image_pixels(d, &first, &publics);
    Ok(Execution { first, pixels })
}

fn block_values<'a>(
    d: &Descriptor,
    first: &'a [i64],
    publics: &'a [Vec<i64>],
    index: usize,
) -> &'a [i64] {
    let block = &d.blocks[index];
    match d.values_at(block) {
        None => &publics[index],
        Some(offset) => &first[Region { bits: block.bits(), offset }.range()],
    }
}

/// Quotients, outputs and limbs of accumulators (protocol.md §3.1).
fn requantize(
    pk: &ProvingKey,
    node: &Node,
    block: &Block,
    sums: &[i64],
    first: &mut [i64],
) -> Result<(), Error> {
    let Node::Affine { table, multiplier, shift, .. } = node else { return Ok(()) };
    let d = &pk.key.descriptor;
    let segment = &d.segments[*table];
    let half = if *shift == 0 { 0 } else { 1i64 << (shift - 1) };
    let limb = (1i64 << d.limb_bits) - 1;
    for local in block.cells() {
        let scaled = sums[local] * multiplier + half;
        let q = scaled >> shift;
        let row = q - segment.first;
        if !(0..1 << segment.bits).contains(&row) {
            let reason = format!("cell {}: quotient {q} is in no table", block.offset + local);
            return Err(Error::Unsatisfied(reason));
        }
        let cell = block.offset + local;
        first[d.activation.quotient + cell] = q;
        first[d.activation.output + cell] =
            pk.cells[d.table.output + segment.offset + row as usize];
        let mut rest = scaled - (q << shift);
        for offset in &d.activation.limbs {
            first[offset + cell] = rest & limb;
            rest >>= d.limb_bits;
        }
    }
    Ok(())
}

/// The pixels of an execution.
pub fn image_pixels(d: &Descriptor, first: &[i64], publics: &[Vec<i64>]) -> Vec<u8> {
    let values = block_values(d, first, publics, d.image.block);
    let block = &d.blocks[d.image.block];
    let axes = [&d.image.row_axes, &d.image.column_axes, &d.image.channel_axes];
    let order: Vec<usize> = axes.into_iter().flatten().copied().collect();
    block.places(&order).into_iter().map(|cell| values[cell] as u8).collect()
}
