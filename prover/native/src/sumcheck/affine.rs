//! The affine argument's tables (protocol.md §6.1–§6.3): weights contracted at r, inputs contracted
//! along the wiring. Work is about the size of the weights plus the size of the activations.

use super::descriptor::{Block, Descriptor, Term, Weight};
use super::field::{F, from_i64};
use super::multilinear::eq_vector;
use super::small::SmallSum;
use ark_ff::{One, Zero};
use rayon::prelude::*;
use std::borrow::Cow;

/// One term between the phases.
pub struct Prepared {
    /// Input contracted over its row axes: contract index major, then (group, spatial) index.
    input: Vec<F>,
    wiring: Wiring,
}

/// How a term's output at r sees its input.
pub struct Wiring {
    /// Indices of (group, spatial).
    pub columns: usize,
    /// Variables of the contracted axes.
    pub contract_bits: usize,
    /// eq(r, ·) of the group axes.
    pub group: Vec<F>,
    /// Per kernel axis: kernel index × padded spatial index.
    pub taps: [Vec<Vec<F>>; 2],
    /// Kernel width: the flat kernel index is `ky·width + kx`.
    width: usize,
    /// Variables of the kernel index.
    pub kernel_bits: usize,
}

/// The weights of a term, addressed by (outputAxes, groupAxes, contractAxes, kernel): `key` are the
/// cells of the key group, `values` the values of a block.
pub fn term_weights<'a>(
    d: &Descriptor,
    term: &Term,
    output: &Block,
    key: &'a [i64],
    values: impl Fn(usize) -> &'a [i64],
) -> Cow<'a, [i64]> {
    match &term.weight {
        Weight::Constant { offset } => {
            let bits = term.bits(output, &d.blocks[term.input]);
            Cow::Borrowed(&key[*offset..*offset + (1 << (bits.output + bits.first()))])
        }
        Weight::Tensor { block, axes } => {
            let (from, cells) = (&d.blocks[*block], values(*block));
            let mut weights = vec![0; cells.len()];
            for (to, place) in from.addresses(axes).into_iter().zip(from.places(axes)) {
                weights[to] = cells[place];
            }
            Cow::Owned(weights)
        }
    }
}

/// `Σ_o eq(r, o)·W(o, ·)`: the weights at r, over (group, contract, kernel).
pub fn contract_weights(
    term: &Term,
    output: &Block,
    input: &Block,
    r: &[F],
    weights: &[i64],
) -> Vec<F> {
    let bits = term.bits(output, input);
    let mut point = Vec::new();
    for &axis in &term.output_axes {
        point.extend_from_slice(&r[output.slice(axis)]);
    }
    let eq = eq_vector(&point);
    let width = 1usize << bits.first();
    let sum_columns = |from: usize, to: usize| -> Vec<F> {
        let mut sum = vec![SmallSum::default(); to - from];
        for (o, e) in eq.iter().enumerate() {
            let row = &weights[o * width + from..o * width + to];
            for (s, &w) in sum.iter_mut().zip(row) {
                if w != 0 {
                    s.add(w, e);
                }
            }
        }
        sum.iter().map(SmallSum::finish).collect()
    };
    let step = width.div_ceil(rayon::current_num_threads()).max(64);
    (0..width.div_ceil(step))
        .into_par_iter()
        .flat_map_iter(|i| sum_columns(i * step, ((i + 1) * step).min(width)))
        .collect()
}

/// For every axis of the input: whether it is contracted, and the shift of its digit among the contracted
/// ones or among (group, spatial); `None` for row axes.
pub fn digit_shifts(term: &Term, output: &Block, input: &Block) -> Vec<Option<(bool, usize)>> {
    let bits = term.bits(output, input);
    let mut shifts: Vec<Option<(bool, usize)>> = vec![None; input.axes.len()];
    let mut place = |axes: &[usize], contract: bool, top: usize| {
        let mut shift = top;
        for &axis in axes {
            shift -= input.slice(axis).len();
            shifts[axis] = Some((contract, shift));
        }
    };
    let groups: Vec<usize> = term.group_axes.iter().map(|p| p[1]).collect();
    place(&term.contract_axes, true, bits.contract);
    place(&groups, false, bits.second());
    let mut top = bits.second() - bits.group;
    for (spatial, own) in term.spatial.iter().zip(&bits.spatial) {
        place(&spatial.input, false, top);
        top -= own;
    }
    shifts
}

/// eq(r, ·) of a row axis, in which output and input have one digit.
pub fn row_eq(term: &Term, output: &Block, r: &[F], axis: usize) -> Vec<F> {
    let out = term.row_axes.iter().find(|p| p[1] == axis).map_or(0, |p| p[0]);
    eq_vector(&r[output.slice(out)])
}

/// Lays out the input of a term and the wiring at r.
pub fn prepare(term: &Term, output: &Block, input: &Block, r: &[F], cells: &[i64]) -> Prepared {
    let wiring = Wiring::new(term, output, input, r);
    let mut address = vec![(0usize, 0usize)];
    let mut row = vec![F::one()];
    for (axis, place) in digit_shifts(term, output, input).iter().enumerate() {
        let size = 1usize << input.slice(axis).len();
        match *place {
            Some((contract, shift)) => {
                address = address
                    .iter()
                    .flat_map(|&(c, u)| {
                        (0..size).map(move |i| {
                            if contract { (c | (i << shift), u) } else { (c, u | (i << shift)) }
                        })
                    })
                    .collect();
                if row.len() > 1 {
                    row = row.iter().flat_map(|w| vec![*w; size]).collect();
                }
            }
            None => {
                // Bound at r.
                let eq = row_eq(term, output, r, axis);
                if row.len() == 1 {
                    row = vec![row[0]; address.len()];
                }
                address = address.iter().flat_map(|a| vec![*a; size]).collect();
                row = row.iter().flat_map(|w| eq.iter().map(move |e| *w * e)).collect();
            }
        }
    }
    let mut contracted = vec![F::zero(); wiring.columns << wiring.contract_bits];
    for (cell, (&value, &(c, u))) in cells.iter().zip(&address).enumerate() {
        if value != 0 {
            let value = from_i64(value);
            contracted[c * wiring.columns + u] +=
                if row.len() > 1 { row[cell] * value } else { value };
        }
    }
    Prepared { input: contracted, wiring }
}

impl Wiring {
    /// At r.
    pub fn new(term: &Term, output: &Block, input: &Block, r: &[F]) -> Self {
        let bits = term.bits(output, input);
        let mut group = vec![F::one()];
        for [o, _] in &term.group_axes {
            let eq = eq_vector(&r[output.slice(*o)]);
            group = group.iter().flat_map(|w| eq.iter().map(move |e| *w * e)).collect();
        }
        let mut taps = [vec![vec![F::one()]], vec![vec![F::one()]]];
        for (axis, own) in term.spatial.iter().zip(&bits.spatial) {
            let outs = output.axes_eq(&axis.output, r);
            let places = input.addresses(&axis.input);
            let kernel = term.kernel[axis.kernel_axis];
            let mut own_taps = vec![vec![F::zero(); 1 << own]; kernel];
            for [y, k, u] in axis.triples(outs.len(), kernel, places.len()) {
                own_taps[k][places[u]] += outs[y];
            }
            taps[axis.kernel_axis] = own_taps;
        }
        Self {
            columns: 1 << bits.second(),
            contract_bits: bits.contract,
            group,
            taps,
            width: term.kernel[1],
            kernel_bits: bits.kernel,
        }
    }

    /// eq of the contracted digits at the first phase's point, and `eq(r, g)·eq(g*, g)·wire(k*, u)` as a
    /// product over g and u.
    pub fn at(&self, point: &[F]) -> (Vec<F>, Vec<F>, Vec<F>) {
        let group_bits = self.group.len().trailing_zeros() as usize;
        let (group_point, rest) = point.split_at(group_bits);
        let (contract_point, kernel_point) = rest.split_at(self.contract_bits);
        let kernel = eq_vector(kernel_point);
        let heights = self.taps[0][0].len();
        let widths = self.taps[1][0].len();
        let rows: Vec<Vec<F>> = (0..self.taps[0].len())
            .map(|ky| {
                let mut row = vec![F::zero(); widths];
                for (kx, taps_x) in self.taps[1].iter().enumerate() {
                    let k = kernel[ky * self.width + kx];
                    for (sum, t) in row.iter_mut().zip(taps_x) {
                        *sum += k * t;
                    }
                }
                row
            })
            .collect();
        let mut plane = vec![F::zero(); heights * widths];
        plane.par_chunks_mut(widths).with_min_len(8).enumerate().for_each(|(uy, out)| {
            for (row, taps_y) in rows.iter().zip(&self.taps[0]) {
                let t = taps_y[uy];
                if !t.is_zero() {
                    for (sum, x) in out.iter_mut().zip(row) {
                        *sum += t * x;
                    }
                }
            }
        });
        let group = self.group.iter().zip(eq_vector(group_point)).map(|(a, b)| *a * b).collect();
        (eq_vector(contract_point), group, plane)
    }
}

impl Prepared {
    /// `V(g, c, k) = eq(r, g)·Σ_u X(c, g, u)·wire(k, u)`.
    pub fn contracted_inputs(&self) -> Vec<F> {
        let own = &self.wiring;
        let contract = 1usize << own.contract_bits;
        let kernel = 1usize << own.kernel_bits;
        let heights = own.taps[0][0].len();
        let widths = own.taps[1][0].len();
        let mut values = vec![F::zero(); own.group.len() * contract * kernel];
        values.par_chunks_mut(kernel).with_min_len(16).enumerate().for_each(|(index, out)| {
            let (g, c) = (index / contract, index % contract);
            let from = c * own.columns + g * heights * widths;
            let matrix = &self.input[from..from + heights * widths];
            let scale = own.group[g];
            if heights == 1 && widths == 1 {
                for (ky, taps_y) in own.taps[0].iter().enumerate() {
                    for (kx, taps_x) in own.taps[1].iter().enumerate() {
                        out[ky * own.width + kx] = scale * matrix[0] * taps_y[0] * taps_x[0];
                    }
                }
                return;
            }
            for (ky, taps_y) in own.taps[0].iter().enumerate() {
                let mut row = vec![F::zero(); widths];
                for (uy, t) in taps_y.iter().enumerate() {
                    if t.is_zero() {
                        continue;
                    }
                    for (sum, x) in row.iter_mut().zip(&matrix[uy * widths..]) {
                        *sum += *t * x;
                    }
                }
                for (kx, taps_x) in own.taps[1].iter().enumerate() {
                    let dot: F = row.iter().zip(taps_x).map(|(a, b)| *a * b).sum();
                    out[ky * own.width + kx] = scale * dot;
                }
            }
        });
        values
    }

    /// `X(c*, g, u)` and `eq(r, g)·eq(g*, g)·wire(k*, u)` at the first phase's point.
    pub fn second_factors(&self, point: &[F]) -> (Vec<F>, Vec<F>) {
        let columns = self.wiring.columns;
        let (contract, group, plane) = self.wiring.at(point);
        let mut input = vec![F::zero(); columns];
        let step = columns.div_ceil(rayon::current_num_threads()).max(64);
        input.par_chunks_mut(step).enumerate().for_each(|(i, out)| {
            for (c, e) in contract.iter().enumerate() {
                let from = c * columns + i * step;
                for (sum, x) in out.iter_mut().zip(&self.input[from..]) {
                    if !x.is_zero() {
                        *sum += *e * x;
                    }
                }
            }
        });
        let wire = group.iter().flat_map(|scale| plane.iter().map(move |p| *scale * p)).collect();
        (input, wire)
    }
}

/// Wiring of a copy at r over the padded input cells.
pub fn copy_factor(axes: &[usize], output: &Block, input: &Block, r: &[F]) -> Vec<F> {
    let all: Vec<usize> = (0..output.axes.len()).collect();
    let eq = output.axes_eq(&all, r);
    // Cell of the input that element i of the copy reads: digits in reading order, placed by axis.
    let cells = input.places(axes);
    let mut wire = vec![F::zero(); 1 << input.bits()];
    for (cell, e) in cells.into_iter().zip(eq) {
        wire[cell] += e;
    }
    wire
}
