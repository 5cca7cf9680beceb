//! The affine argument's factors on a card (`sumcheck::affine`): made of cells that are there, and bound
//! there. What goes to the card are short vectors of eq.

use super::card::{Argument, Buffer, Card, Scalar, View};
use super::columns::from_integers;
use super::device::OnCard;
use super::error::CardError;
use super::rounds::{Product, inner_product, prove_plain};
use crate::sumcheck::affine::{Wiring, copy_factor, digit_shifts, row_eq, term_weights};
use crate::sumcheck::descriptor::{Block, Node, Region, Term, Weight};
use crate::sumcheck::device::Rounds;
use crate::sumcheck::error::Error;
use crate::sumcheck::field::F;
use crate::sumcheck::multilinear::{eq_vector_scaled, power};
use crate::sumcheck::phases::{AffineTables, Task};
use crate::sumcheck::transcript::Transcript;
use ark_ff::One;

/// Threads that sums are split for where there are few of them.
const THREADS: usize = 1 << 17;

/// Parts that each of `sums` sums of `count` summands is split into.
fn parts(sums: usize, count: usize) -> usize {
    (THREADS / sums).clamp(1, 1024).min(count)
}

/// `scale` as kernels want it that multiply integers: times 2^256.
fn for_integers(scale: F) -> F {
    scale * power(F::from(2u64), 256)
}

/// Sums of `parts` vectors that follow each other.
fn add_rows(
    card: &Card,
    values: Buffer<Scalar>,
    parts: usize,
) -> Result<Buffer<Scalar>, CardError> {
    if parts == 1 {
        return Ok(values);
    }
    combine_in_parts(card, values.view(), parts, None, 1)
}

fn combine_in_parts(
    card: &Card,
    values: View<Scalar>,
    rows: usize,
    scales: Option<View<Scalar>>,
    parts: usize,
) -> Result<Buffer<Scalar>, CardError> {
    let width = values.len() / rows;
    let out = card.allocate(width * parts)?;
    let arguments = [
        values.pointer(),
        Argument::Word(rows as u32),
        Argument::Word(width as u32),
        scales.map_or(Argument::Pointer(0), |own| own.pointer()),
        Argument::Word(parts as u32),
        out.view().pointer(),
    ];
    card.launch("combine_scalars", out.len(), &arguments)?;
    Ok(out)
}

/// `Σᵢ scalesᵢ·rowᵢ` of a matrix with as many rows as scales.
pub fn combine(
    card: &Card,
    values: View<Scalar>,
    scales: &[F],
) -> Result<Buffer<Scalar>, CardError> {
    let parts = parts(values.len() / scales.len(), scales.len());
    let on_card = card.upload_scalars(scales)?;
    let sums = combine_in_parts(card, values, scales.len(), Some(on_card.view()), parts)?;
    add_rows(card, sums, parts)
}

/// The same of integers; the scales are `for_integers` of what is meant.
fn combine_integers(
    card: &Card,
    values: View<i64>,
    scales: &[F],
) -> Result<Buffer<Scalar>, CardError> {
    let width = values.len() / scales.len();
    let parts = parts(width, scales.len());
    let on_card = card.upload_scalars(scales)?;
    let out = card.allocate(width * parts)?;
    let arguments = [
        values.pointer(),
        Argument::Word(scales.len() as u32),
        Argument::Word(width as u32),
        on_card.view().pointer(),
        Argument::Word(parts as u32),
        out.view().pointer(),
    ];
    card.launch("combine_integers", out.len(), &arguments)?;
    add_rows(card, out, parts)
}

/// The input of a term: contract index major, then (group, spatial) index; row axes are bound at r.
fn lay_out(
    card: &Card,
    term: &Term,
    output: &Block,
    input: &Block,
    r: &[F],
    cells: View<i64>,
) -> Result<Buffer<Scalar>, CardError> {
    let second = term.bits(output, input).second();
    let mut moves = Vec::new();
    let mut size = 1;
    let mut weights = vec![for_integers(F::one())];
    let mut rows = Vec::new();
    for (axis, shift) in digit_shifts(term, output, input).into_iter().enumerate() {
        let slice = input.slice(axis);
        match shift {
            Some((contract, shift)) => {
                let from = if contract { second + shift } else { shift };
                moves.extend([from, slice.len(), input.bits() - slice.end].map(|own| own as u32));
                size <<= slice.len();
            }
            None => {
                let eq = row_eq(term, output, r, axis);
                let eq = &eq[..input.axes[axis]];
                weights = weights.iter().flat_map(|w| eq.iter().map(move |e| *w * e)).collect();
                rows.push(axis);
            }
        }
    }
    let places: Vec<u32> = input.places(&rows).into_iter().map(|place| place as u32).collect();
    let moved = moves.len() / 3;
    let (moves, places) = (card.upload(&moves)?, card.upload(&places)?);
    let weights = card.upload_scalars(&weights)?;
    let parts = parts(size, places.len());
    let out = card.allocate(size * parts)?;
    let arguments = [
        cells.pointer(),
        moves.view().pointer(),
        Argument::Word(moved as u32),
        places.view().pointer(),
        weights.view().pointer(),
        Argument::Word(places.len() as u32),
        Argument::Word(size as u32),
        Argument::Word(parts as u32),
        out.view().pointer(),
    ];
    card.launch("lay_out_cells", out.len(), &arguments)?;
    add_rows(card, out, parts)
}

/// `Σ_y taps(k, y)·values(m, y, x)` for all m, k, x.
fn contract_middle(
    card: &Card,
    values: View<Scalar>,
    taps: &[Vec<F>],
    inner: usize,
) -> Result<Buffer<Scalar>, CardError> {
    let middle = taps[0].len();
    let outer = values.len() / middle / inner;
    let weights = card.upload_scalars(&taps.concat())?;
    let out = card.allocate(outer * taps.len() * inner)?;
    let arguments = [
        values.pointer(),
        Argument::Word(outer as u32),
        Argument::Word(middle as u32),
        Argument::Word(inner as u32),
        weights.view().pointer(),
        Argument::Word(taps.len() as u32),
        out.view().pointer(),
    ];
    card.launch("contract_middle", out.len(), &arguments)?;
    Ok(out)
}

/// `sumcheck::affine::Prepared::contracted_inputs`.
fn contracted_inputs(
    card: &Card,
    wiring: &Wiring,
    input: View<Scalar>,
) -> Result<Buffer<Scalar>, CardError> {
    let [rows, columns] = &wiring.taps;
    let by_rows = contract_middle(card, input, rows, columns[0].len())?;
    let values = contract_middle(card, by_rows.view(), columns, 1)?;
    let (groups, contract) = (wiring.group.len(), 1usize << wiring.contract_bits);
    let padded = 1usize << wiring.kernel_bits;
    let weights = card.upload_scalars(&wiring.group)?;
    let out = card.allocate(groups * contract * padded)?;
    let arguments = [
        values.view().pointer(),
        Argument::Word(groups as u32),
        Argument::Word(contract as u32),
        Argument::Word((rows.len() * columns.len()) as u32),
        Argument::Word(padded as u32),
        weights.view().pointer(),
        out.view().pointer(),
    ];
    card.launch("place_inputs", out.len(), &arguments)?;
    Ok(out)
}

/// All products of one of `a` with one of `b`.
fn outer_product(card: &Card, a: &[F], b: &[F]) -> Result<Buffer<Scalar>, CardError> {
    let out = card.allocate(a.len() * b.len())?;
    let (first, second) = (card.upload_scalars(a)?, card.upload_scalars(b)?);
    let arguments = [
        first.view().pointer(),
        Argument::Word(a.len() as u32),
        second.view().pointer(),
        Argument::Word(b.len() as u32),
        out.view().pointer(),
    ];
    card.launch("outer_product", out.len(), &arguments)?;
    Ok(out)
}

/// Factors of the second phase.
enum Pending {
    /// Known after the first phase: the laid out input, and the variables of the first phase.
    Term(Buffer<Scalar>, Wiring, usize),
    /// A copy's, known at once.
    Ready(Buffer<Scalar>, Vec<F>),
}

/// The factors on a card.
pub struct Affine<'a> {
    on: &'a OnCard<'a>,
    task: &'a Task<'a>,
    products: Vec<Product>,
    pending: Vec<Pending>,
}

impl<'a> Affine<'a> {
    /// Without summands.
    pub fn new(on: &'a OnCard<'a>, task: &'a Task<'a>) -> Self {
        Self { on, task, products: Vec::new(), pending: Vec::new() }
    }

    /// Runs `with` on the values of a block.
    fn with_values<T>(
        &self,
        index: usize,
        with: impl FnOnce(View<i64>) -> Result<T, CardError>,
    ) -> Result<T, CardError> {
        let d = self.task.descriptor();
        let block = &d.blocks[index];
        match d.values_at(block) {
            None => with(self.on.card.upload(&self.task.publics[index])?.view()),
            Some(offset) => {
                let range = Region { bits: block.bits(), offset }.range();
                with(self.on.first(self.task)?.range(range))
            }
        }
    }

    /// The weights of a term at r, times `scale`.
    fn weights(
        &self,
        term: &Term,
        output: &Block,
        r: &[F],
        scale: F,
    ) -> Result<Buffer<Scalar>, CardError> {
        let (task, card) = (self.task, &self.on.card);
        let d = task.descriptor();
        let bits = term.bits(output, &d.blocks[term.input]);
        let point: Vec<F> =
            term.output_axes.iter().flat_map(|&axis| r[output.slice(axis)].to_vec()).collect();
        let eq = eq_vector_scaled(&point, for_integers(scale));
        match &term.weight {
            Weight::Constant { offset } => {
                let range = *offset..*offset + (1 << (bits.output + bits.first()));
                combine_integers(card, self.on.key(task)?.range(range), &eq)
            }
            Weight::Tensor { .. } => {
                let cells = term_weights(d, term, output, &task.pk.cells, |own| task.values(own));
                combine_integers(card, card.upload(&cells)?.view(), &eq)
            }
        }
    }
}

impl AffineTables for Affine<'_> {
    fn add_copy(&mut self, copy: &Node, r: &[F], gamma: F) -> Result<F, Error> {
        let Node::Copy { output, input, input_axes } = copy else { return Ok(F::default()) };
        let card = &self.on.card;
        let d = self.task.descriptor();
        let values = self.with_values(*input, |cells| from_integers(card, cells, F::one()))?;
        let wire = copy_factor(input_axes, &d.blocks[*output], &d.blocks[*input], r);
        let value = inner_product(card, values.view(), card.upload_scalars(&wire)?.view())?;
        let (a, b) = (card.upload_scalars(&[gamma])?, card.upload_scalars(&[value])?);
        self.products.push(Product::new(a, b, 0)?);
        self.pending.push(Pending::Ready(values, wire));
        Ok(gamma * value)
    }

    fn add_term(&mut self, term: &Term, output: &Block, r: &[F], scale: F) -> Result<F, Error> {
        let card = &self.on.card;
        let input = &self.task.descriptor().blocks[term.input];
        let weights = self.weights(term, output, r, scale)?;
        let laid_out =
            self.with_values(term.input, |cells| lay_out(card, term, output, input, r, cells))?;
        let wiring = Wiring::new(term, output, input, r);
        let inputs = contracted_inputs(card, &wiring, laid_out.view())?;
        let sum = inner_product(card, weights.view(), inputs.view())?;
        let variables = weights.len().trailing_zeros() as usize;
        self.products.push(Product::new(weights, inputs, variables)?);
        self.pending.push(Pending::Term(laid_out, wiring, variables));
        Ok(sum)
    }

    fn prove_first(
        &mut self,
        claim: F,
        count: usize,
        transcript: &mut Transcript,
    ) -> Result<(Rounds, Vec<F>), Error> {
        let mut products = std::mem::take(&mut self.products);
        let found = prove_plain(&self.on.card, &mut products, claim, count, transcript)?;
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
        let card = &self.on.card;
        let mut scale = F::one();
        let mut products = Vec::with_capacity(self.pending.len());
        for entry in std::mem::take(&mut self.pending) {
            let (input, wire) = match entry {
                Pending::Term(laid_out, wiring, variables) => {
                    let (contract, mut group, plane) = wiring.at(&point[..variables]);
                    group.iter_mut().for_each(|own| *own *= scale);
                    (
                        combine(card, laid_out.view(), &contract)?,
                        outer_product(card, &group, &plane)?,
                    )
                }
                Pending::Ready(values, mut wire) => {
                    wire.iter_mut().for_each(|own| *own *= scale);
                    (values, card.upload_scalars(&wire)?)
                }
            };
            scale *= eta;
            let bits = input.len().trailing_zeros() as usize;
            products.push(Product::new(input, wire, bits)?);
        }
        Ok(prove_plain(card, &mut products, claim, count, transcript)?)
    }
}
