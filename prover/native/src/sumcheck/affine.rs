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
    columns: usize,
    contract_bits: usize,
    group: Vec<F>,
    /// Per kernel axis: kernel index × padded spatial index.
    taps: [Vec<Vec<F>>; 2],
    /// Kernel width: the flat kernel index is `ky·width + kx`.
    width: usize,
    kernel_bits: usize,
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

/// Lays out the input of a term and the wiring at r.
pub fn prepare(term: &Term, output: &Block, input: &Block, r: &[F], cells: &[i64]) -> Prepared {
    let bits = term.bits(output, input);
    let columns = 1usize << bits.second();
    // For every axis of the input: where its digit goes, and the row weight.
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
    let mut address = vec![(0usize, 0usize)];
    let mut row = vec![F::one()];
    for (axis, place) in shifts.iter().enumerate() {
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
                // A row axis: bound at r.
                let out = term.row_axes.iter().find(|p| p[1] == axis).map_or(0, |p| p[0]);
                let eq = eq_vector(&r[output.slice(out)]);
                if row.len() == 1 {
                    row = vec![row[0]; address.len()];
                }
                address = address.iter().flat_map(|a| vec![*a; size]).collect();
                row = row.iter().flat_map(|w| eq.iter().map(move |e| *w * e)).collect();
            }
        }
    }
    let mut contracted = vec![F::zero(); columns << bits.contract];
    for (cell, (&value, &(c, u))) in cells.iter().zip(&address).enumerate() {
        if value != 0 {
            let value = from_i64(value);
            contracted[c * columns + u] += if row.len() > 1 { row[cell] * value } else { value };
        }
    }
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
    Prepared {
        input: contracted,
        columns,
        contract_bits: bits.contract,
        group,
        taps,
        width: term.kernel[1],
        kernel_bits: bits.kernel,
    }
}

impl Prepared {
    /// `V(g, c, k) = eq(r, g)·Σ_u X(c, g, u)·wire(k, u)`.
    pub fn contracted_inputs(&self) -> Vec<F> {
        let contract = 1usize << self.contract_bits;
        let kernel = 1usize << self.kernel_bits;
        let heights = self.taps[0][0].len();
        let widths = self.taps[1][0].len();
        let mut values = vec![F::zero(); self.group.len() * contract * kernel];
        values.par_chunks_mut(kernel).with_min_len(16).enumerate().for_each(|(index, out)| {
            let (g, c) = (index / contract, index % contract);
            let from = c * self.columns + g * heights * widths;
            let matrix = &self.input[from..from + heights * widths];
            let scale = self.group[g];
            if heights == 1 && widths == 1 {
                for (ky, taps_y) in self.taps[0].iter().enumerate() {
                    for (kx, taps_x) in self.taps[1].iter().enumerate() {
                        out[ky * self.width + kx] = scale * matrix[0] * taps_y[0] * taps_x[0];
                    }
                }
                return;
            }
            for (ky, taps_y) in self.taps[0].iter().enumerate() {
                let mut row = vec![F::zero(); widths];
                for (uy, t) in taps_y.iter().enumerate() {
                    if t.is_zero() {
                        continue;
                    }
                    for (sum, x) in row.iter_mut().zip(&matrix[uy * widths..]) {
                        *sum += *t * x;
                    }
                }
                for (kx, taps_x) in self.taps[1].iter().enumerate() {
                    let dot: F = row.iter().zip(taps_x).map(|(a, b)| *a * b).sum();
                    out[ky * self.width + kx] = scale * dot;
                }
            }
        });
        values
    }

    /// `X(c*, g, u)` and `eq(r, g)·eq(g*, g)·wire(k*, u)` at the first phase's point.
    pub fn second_factors(&self, point: &[F]) -> (Vec<F>, Vec<F>) {
        let group_bits = self.group.len().trailing_zeros() as usize;
        let (group_point, rest) = point.split_at(group_bits);
        let (contract_point, kernel_point) = rest.split_at(self.contract_bits);
        let eq = eq_vector(contract_point);
        let mut input = vec![F::zero(); self.columns];
        let step = self.columns.div_ceil(rayon::current_num_threads()).max(64);
        input.par_chunks_mut(step).enumerate().for_each(|(i, out)| {
            for (c, e) in eq.iter().enumerate() {
                let from = c * self.columns + i * step;
                for (sum, x) in out.iter_mut().zip(&self.input[from..]) {
                    if !x.is_zero() {
                        *sum += *e * x;
                    }
                }
            }
        });
        let kernel = eq_vector(kernel_point);
        let heights = self.taps[0][0].len();
        let widths = self.taps[1][0].len();
        let mut plane = vec![F::zero(); heights * widths];
        for (ky, taps_y) in self.taps[0].iter().enumerate() {
            let mut row = vec![F::zero(); widths];
            for (kx, taps_x) in self.taps[1].iter().enumerate() {
                let k = kernel[ky * self.width + kx];
                for (sum, t) in row.iter_mut().zip(taps_x) {
                    *sum += k * t;
                }
            }
            for (uy, t) in taps_y.iter().enumerate() {
                if !t.is_zero() {
                    for (sum, x) in plane[uy * widths..].iter_mut().zip(&row) {
                        *sum += *t * x;
                    }
                }
            }
        }
        let group_eq = eq_vector(group_point);
        let wire: Vec<F> = self
            .group
            .iter()
            .zip(&group_eq)
            .flat_map(|(a, b)| {
                let scale = *a * b;
                plane.iter().map(move |p| scale * p)
            })
            .collect();
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
