//! All claims about columns as linear functionals (protocol.md §7).
//!
//! After the three sumchecks every claim has the form `Σ_columns Σ_x column(x)·w(x) = value` with a `w`
//! whose multilinear extension is easy: scaled `eq` of blocks, `eq` of the point s, the constant 1 (the
//! sum over a column), or the image's packing weights. Powers of ν merge them into one functional.

use super::descriptor::{Block, Descriptor, Key, Node, Space, Term, scalar};
use super::field::F;
use super::multilinear::{below, eq_eval, eq_index, eq_vector, power};
use ark_ff::{Field, One, Zero};

/// Columns by role; each has as many physical columns as its space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Column {
    /// q.
    Quotient,
    /// out.
    Output,
    /// rem limb l.
    Limb(usize),
    /// Rearranged copies.
    Copy,
    /// m.
    Multiplicity,
    /// h₀ (activation table) or h_{l+1} (limb l).
    Inverse(usize),
    /// g.
    TableInverse,
    /// T_out.
    Table,
    /// Weights and biases.
    Weight,
}

impl Descriptor {
    /// Index of a role's first physical column and their number (order of protocol.md §4.1).
    pub fn physical(&self, column: Column) -> (usize, usize) {
        let c = &self.columns;
        let a = c.activation;
        let limbs = self.limbs;
        let (first, second) = self.proof_columns();
        match column {
            Column::Quotient => (0, a),
            Column::Output => (a, a),
            Column::Limb(l) => ((2 + l) * a, a),
            Column::Copy => ((2 + limbs) * a, c.copy),
            Column::Multiplicity => ((2 + limbs) * a + c.copy, c.table),
            Column::Inverse(i) => (first + i * a, a),
            Column::TableInverse => (first + (1 + limbs) * a, c.table),
            Column::Table => (first + second, c.table),
            Column::Weight => (first + second + c.table, c.weight),
        }
    }

    /// How the aligned run [offset, offset + 2^bits) of a space looks from physical column `chunk` at
    /// `point`: the factor of its prefix, and the point inside the run. `None` when it is elsewhere.
    pub fn window(
        &self,
        offset: usize,
        bits: usize,
        chunk: usize,
        point: &[F],
    ) -> Option<(F, Vec<F>)> {
        let n = self.column_bits;
        if bits <= n {
            if offset >> n != chunk {
                return None;
            }
            let prefix = (offset & ((1 << n) - 1)) >> bits;
            let (high, low) = point.split_at(n - bits);
            Some((eq_index(prefix, high), low.to_vec()))
        } else {
            let j = chunk.checked_sub(offset >> n)?;
            let high = bits - n;
            if j >> high != 0 {
                return None;
            }
            let mut local: Vec<F> =
                (0..high).map(|i| F::from(((j >> (high - 1 - i)) & 1) as u64)).collect();
            local.extend_from_slice(point);
            Some((F::one(), local))
        }
    }
}

impl Block {
    /// MLE of "this padded cell is a cell of the tensor".
    pub fn valid(&self, point: &[F]) -> F {
        (0..self.axes.len()).map(|axis| below(self.axes[axis], &point[self.slice(axis)])).product()
    }
}

/// Everything that the verifier chose.
#[derive(Default, Clone)]
#[allow(missing_docs)]
pub struct Challenges {
    pub beta: F,
    pub alpha: F,
    pub r: Vec<F>,
    pub gamma: F,
    pub z: F,
    pub tau: Vec<F>,
    pub lambda: F,
    pub first: Vec<F>,
    pub eta: F,
    pub second: Vec<F>,
    pub s: Vec<F>,
    pub nu: F,
}

/// Everything that the prover said before the merged sumcheck, and where the sumchecks ended.
#[derive(Default, Clone)]
#[allow(missing_docs)]
pub struct Values {
    pub affine_sum: F,
    pub first_end: F,
    pub contracted: Vec<F>,
    pub second_end: F,
    pub zero_end: F,
    /// h and g columns at s, in order of commitment.
    pub inverses: Vec<F>,
}

/// `coefficient·eq(point, ·)` on an aligned run of a space.
#[allow(missing_docs)]
pub struct PointTerm {
    pub column: Column,
    pub offset: usize,
    pub point: Vec<F>,
    pub coefficient: F,
}

/// The merged functional and its value.
#[allow(missing_docs)]
pub struct Functional {
    /// `Column::Limb(0)` stands for `Σ_l 2^{w·l}·rem_l`.
    pub points: Vec<PointTerm>,
    /// Coefficient of every physical column at s.
    pub at_s: Vec<F>,
    /// Coefficient of every physical column's sum.
    pub ones: Vec<F>,
    /// Coefficient of the image functional.
    pub image: F,
    pub claim: F,
}

/// Points and wiring of one term after both phases.
pub struct TermPoints {
    /// Point in the weight block.
    pub weight: Vec<F>,
    /// Point in the input block.
    pub input: Vec<F>,
    /// `wire~`, group axes included.
    pub wire: F,
    /// Product of 1 − challenge over the rounds of phase one after its own.
    pub first_pad: F,
    /// The same of phase two.
    pub second_pad: F,
}

fn pad(challenges: &[F], own: usize) -> F {
    challenges[own..].iter().map(|c| F::one() - c).product()
}

/// For each kernel index, `Σ eq(output)·eq(input)` over the axis's triples.
fn spatial_taps(
    term: &Term,
    index: usize,
    output: &Block,
    input: &Block,
    r: &[F],
    at: &[F],
) -> Vec<F> {
    let axis = &term.spatial[index];
    let kernel = term.kernel[axis.kernel_axis];
    let outs = output.axes_eq(&axis.output, r);
    let ins = input.axes_eq(&axis.input, at);
    let mut taps = vec![F::zero(); kernel];
    for [y, k, u] in axis.triples(outs.len(), kernel, ins.len()) {
        taps[k] += outs[y] * ins[u];
    }
    taps
}

/// Where the two phases leave one term (protocol.md §6.2, §6.3).
pub fn term_points(term: &Term, output: &Block, input: &Block, ch: &Challenges) -> TermPoints {
    let bits = term.bits(output, input);
    let first = &ch.first[..bits.first()];
    let second = &ch.second[..bits.second()];
    let r = &ch.r[..output.bits()];
    let mut weight: Vec<F> = Vec::new();
    for &axis in &term.output_axes {
        weight.extend_from_slice(&r[output.slice(axis)]);
    }
    weight.extend_from_slice(first);

    let mut at = vec![F::zero(); input.bits()];
    let mut place = |axis: usize, values: &[F]| at[input.slice(axis)].copy_from_slice(values);
    for [o, i] in &term.row_axes {
        place(*i, &r[output.slice(*o)]);
    }
    let mut wire = F::one();
    let mut position = 0;
    for [o, i] in &term.group_axes {
        let slice = input.slice(*i);
        let range = position..position + slice.len();
        for ((a, b), c) in
            r[output.slice(*o)].iter().zip(&first[range.clone()]).zip(&second[range.clone()])
        {
            let one = F::one();
            wire *= *a * b * c + (one - a) * (one - b) * (one - c);
        }
        place(*i, &second[range.clone()]);
        position = range.end;
    }
    let mut from = position;
    for axis in &term.contract_axes {
        let length = input.slice(*axis).len();
        place(*axis, &first[from..from + length]);
        from += length;
    }
    let kernel_point = &first[from..];
    for axis in term.spatial.iter().flat_map(|s| &s.input) {
        let length = input.slice(*axis).len();
        place(*axis, &second[position..position + length]);
        position += length;
    }
    let mut taps = [vec![F::one()], vec![F::one()]];
    for (index, axis) in term.spatial.iter().enumerate() {
        taps[axis.kernel_axis] = spatial_taps(term, index, output, input, r, &at);
    }
    let kernel = eq_vector(kernel_point);
    let mut spatial = F::zero();
    for (y, a) in taps[0].iter().enumerate() {
        for (x, b) in taps[1].iter().enumerate() {
            spatial += kernel[y * term.kernel[1] + x] * a * b;
        }
    }
    TermPoints {
        weight,
        input: at,
        wire: wire * spatial,
        first_pad: pad(&ch.first, bits.first()),
        second_pad: pad(&ch.second, bits.second()),
    }
}

/// `Σ eq(r, output cell)·eq(point, input cell)` over the elements of a copy.
pub fn copy_wire(axes: &[usize], output: &Block, input: &Block, r: &[F], point: &[F]) -> F {
    let all: Vec<usize> = (0..output.axes.len()).collect();
    output
        .axes_eq(&all, &r[..output.bits()])
        .iter()
        .zip(input.axes_eq(axes, point))
        .map(|(a, b)| *a * b)
        .sum()
}

/// Rounding constant of a shift.
pub fn half(shift: u32) -> F {
    if shift == 0 { F::zero() } else { F::from(2u64).pow([u64::from(shift) - 1]) }
}

/// Public tag of every lookup column chunk at s: `[activation chunks, limb 0 chunks, …]`.
fn tags(d: &Descriptor, s: &[F]) -> Vec<F> {
    let a = d.columns.activation;
    let mut tags = vec![F::zero(); (1 + d.limbs) * a];
    for node in &d.nodes {
        let Node::Affine { output, table, limbs, .. } = node else {
            continue;
        };
        let block = &d.blocks[*output];
        for chunk in 0..a {
            if let Some((prefix, local)) = d.window(block.offset, block.bits(), chunk, s) {
                let weight = prefix * block.valid(&local);
                tags[chunk] += weight * F::from(*table as u64 + 1);
                for (l, limb) in limbs.iter().enumerate() {
                    tags[(1 + l) * a + chunk] += weight * scalar(*limb + 1);
                }
            }
        }
    }
    tags
}

/// Tag + β·index of every table column at s.
fn table_keys(d: &Descriptor, beta: F, s: &[F]) -> Vec<F> {
    let mut keys = vec![F::zero(); d.columns.table];
    for (i, segment) in d.segments.iter().enumerate() {
        for (chunk, key) in keys.iter_mut().enumerate() {
            if let Some((prefix, local)) = d.window(segment.offset, segment.bits, chunk, s) {
                let index = local.iter().fold(F::zero(), |sum, bit| sum + sum + bit);
                *key += prefix * (F::from(i as u64 + 1) + beta * (scalar(segment.first) + index));
            }
        }
    }
    keys
}

/// Merges all claims (protocol.md §7.1).
pub fn functional(
    key: &Key,
    ch: &Challenges,
    values: &Values,
    latent: &[i64],
    image_value: F,
) -> Functional {
    let d = &key.descriptor;
    let mut merged = Functional {
        points: Vec::new(),
        at_s: vec![F::zero(); d.all_columns()],
        ones: vec![F::zero(); d.all_columns()],
        image: power(ch.nu, 5),
        claim: power(ch.nu, 5) * image_value,
    };
    affine_claims(d, ch, values, latent, &mut merged);
    lookup_claims(d, ch, values, &mut merged);
    merged
}

fn affine_claims(
    d: &Descriptor,
    ch: &Challenges,
    values: &Values,
    latent: &[i64],
    merged: &mut Functional,
) {
    let nu2 = ch.nu.square();
    let mut gamma = F::one();
    let mut eta = F::one();
    let mut index = 0;
    // Claim 0: requantisation; claim 1: weights; claim 2: inputs.
    let mut claims = [values.affine_sum, values.first_end, values.second_end];
    let read = |merged: &mut Functional,
                claims: &mut [F; 3],
                input: usize,
                point: Vec<F>,
                coefficient: F| {
        let block = &d.blocks[input];
        let column = match block.space {
            Space::Activation => Column::Output,
            Space::Copy => Column::Copy,
            Space::Latent => {
                let eq = eq_vector(&point);
                let value: F = latent
                    .iter()
                    .zip(&eq)
                    .filter(|(v, _)| **v != 0)
                    .map(|(v, e)| scalar(*v) * e)
                    .sum();
                claims[2] -= coefficient * value;
                return;
            }
        };
        merged.points.push(PointTerm {
            column,
            offset: block.offset,
            point,
            coefficient: nu2 * coefficient,
        });
    };
    for node in &d.nodes {
        let output = &d.blocks[node.output()];
        let r = &ch.r[..output.bits()];
        match node {
            Node::Copy { input, input_axes, .. } => {
                merged.points.push(PointTerm {
                    column: Column::Copy,
                    offset: output.offset,
                    point: r.to_vec(),
                    coefficient: gamma,
                });
                claims[1] -= gamma * pad(&ch.first, 0) * values.contracted[index];
                let block = &d.blocks[*input];
                let point = ch.second[..block.bits()].to_vec();
                let wire = copy_wire(input_axes, output, block, r, &point);
                let coefficient = eta * pad(&ch.second, block.bits()) * wire;
                read(merged, &mut claims, *input, point, coefficient);
                eta *= ch.eta;
                index += 1;
            }
            Node::Affine { multiplier, shift, bias, terms, .. } => {
                for (column, coefficient) in [
                    (Column::Quotient, gamma * F::from(2u64).pow([u64::from(*shift)])),
                    (Column::Limb(0), gamma),
                ] {
                    merged.points.push(PointTerm {
                        column,
                        offset: output.offset,
                        point: r.to_vec(),
                        coefficient,
                    });
                }
                claims[0] += gamma * half(*shift) * output.valid(r);
                let scale = gamma * scalar(*multiplier);
                if let Some(bias) = bias {
                    let mut mask = F::one();
                    for axis in 0..output.axes.len() {
                        if !bias.axes.contains(&axis) {
                            mask *= below(output.axes[axis], &r[output.slice(axis)]);
                        }
                    }
                    let point = bias
                        .axes
                        .iter()
                        .flat_map(|&axis| r[output.slice(axis)].iter().copied())
                        .collect();
                    merged.points.push(PointTerm {
                        column: Column::Weight,
                        offset: bias.offset,
                        point,
                        coefficient: -scale * mask,
                    });
                }
                for term in terms {
                    let points = term_points(term, output, &d.blocks[term.input], ch);
                    merged.points.push(PointTerm {
                        column: Column::Weight,
                        offset: term.weight,
                        point: points.weight,
                        coefficient: ch.nu * scale * points.first_pad * values.contracted[index],
                    });
                    let coefficient = eta * points.second_pad * points.wire;
                    read(merged, &mut claims, term.input, points.input, coefficient);
                    eta *= ch.eta;
                    index += 1;
                }
            }
        }
        gamma *= ch.gamma;
    }
    merged.claim += claims[0] + ch.nu * claims[1] + nu2 * claims[2];
}

fn lookup_claims(d: &Descriptor, ch: &Challenges, values: &Values, merged: &mut Functional) {
    let nu3 = power(ch.nu, 3);
    let nu4 = power(ch.nu, 4);
    let beta2 = ch.beta.square();
    let a = d.columns.activation;
    let tags = tags(d, &ch.s);
    let keys = table_keys(d, ch.beta, &ch.s);
    let (first, _) = d.physical(Column::Inverse(0));
    let mut lambda = F::one();
    let mut nu = power(ch.nu, 6);
    let mut claim = values.zero_end;
    for (i, value) in values.inverses.iter().enumerate() {
        // Claim 6 + i: the column's value at s; claim 3: the sum over all of them.
        merged.at_s[first + i] += nu;
        merged.claim += nu * value;
        nu *= ch.nu;
        let weight = lambda * value;
        if i < (1 + d.limbs) * a {
            merged.ones[first + i] = nu3;
            claim -= weight * (ch.alpha - tags[i]);
            let (kind, chunk) = (i / a, i % a);
            if kind == 0 {
                let (q, _) = d.physical(Column::Quotient);
                let (out, _) = d.physical(Column::Output);
                merged.at_s[q + chunk] -= nu4 * weight * ch.beta;
                merged.at_s[out + chunk] -= nu4 * weight * beta2;
            } else {
                let (limb, _) = d.physical(Column::Limb(kind - 1));
                merged.at_s[limb + chunk] -= nu4 * weight * ch.beta;
            }
        } else {
            merged.ones[first + i] = -nu3;
            let chunk = i - (1 + d.limbs) * a;
            claim -= weight * (ch.alpha - keys[chunk]);
            let (table, _) = d.physical(Column::Table);
            let (m, _) = d.physical(Column::Multiplicity);
            merged.at_s[table + chunk] -= nu4 * weight * beta2;
            merged.at_s[m + chunk] -= nu4 * lambda;
        }
        lambda *= ch.lambda;
    }
    merged.claim += nu4 * claim;
}

/// Pixel bytes packed into one word: 16, so that a word cannot wrap around the field.
pub const WORD: usize = 16;

/// Words of one row of pixels.
pub fn row_words(d: &Descriptor) -> usize {
    (d.image.width * d.image.channels).div_ceil(WORD)
}

/// `Σ_rows Σ_words z^{row·words + word}·(16 bytes, big-endian, zero filled)` (protocol.md §6.5).
pub fn image_value(d: &Descriptor, pixels: &[u8], z: F) -> F {
    let row = d.image.width * d.image.channels;
    let mut sum = F::zero();
    let mut weight = F::one();
    for bytes in pixels.chunks(row) {
        for word in bytes.chunks(WORD) {
            let mut padded = [0u8; WORD];
            padded[..word.len()].copy_from_slice(word);
            sum += weight * F::from(u128::from_be_bytes(padded));
            weight *= z;
        }
    }
    sum
}

/// Weights of a row's start, and of a byte inside a row.
pub fn image_weights(d: &Descriptor, z: F) -> (Vec<F>, Vec<F>) {
    let step = power(z, row_words(d) as u64);
    let mut rows = vec![F::one(); d.image.height];
    for y in 1..rows.len() {
        rows[y] = rows[y - 1] * step;
    }
    let inside = (0..d.image.width * d.image.channels)
        .map(|o| power(z, (o / WORD) as u64) * F::from(256u64).pow([(WORD - 1 - o % WORD) as u64]))
        .collect();
    (rows, inside)
}

/// MLE of the image weights inside the image block.
pub fn image_weight_at(d: &Descriptor, z: F, local: &[F]) -> F {
    let block = &d.blocks[d.image.block];
    let (row_weights, inside) = image_weights(d, z);
    let rows: F =
        block.axes_eq(&d.image.row_axes, local).iter().zip(&row_weights).map(|(e, w)| *e * w).sum();
    let channels = block.axes_eq(&d.image.channel_axes, local);
    let mut cells = F::zero();
    for (x, e) in block.axes_eq(&d.image.column_axes, local).iter().enumerate() {
        for (c, f) in channels.iter().enumerate() {
            cells += *e * f * inside[x * d.image.channels + c];
        }
    }
    rows * cells
}

/// Weight of every physical column at ρ (protocol.md §7.3).
pub fn weights_at(d: &Descriptor, f: &Functional, ch: &Challenges, rho: &[F]) -> Vec<F> {
    let same = eq_eval(&ch.s, rho);
    let mut weights: Vec<F> =
        f.at_s.iter().zip(&f.ones).map(|(at_s, ones)| same * at_s + ones).collect();
    for term in &f.points {
        let (first, count) = d.physical(term.column);
        for chunk in 0..count {
            let Some((prefix, local)) = d.window(term.offset, term.point.len(), chunk, rho) else {
                continue;
            };
            let value = term.coefficient * prefix * eq_eval(&local, &term.point);
            if let Column::Limb(_) = term.column {
                for l in 0..d.limbs {
                    let (limb, _) = d.physical(Column::Limb(l));
                    weights[limb + chunk] += value * limb_scale(d, l);
                }
            } else {
                weights[first + chunk] += value;
            }
        }
    }
    let block = &d.blocks[d.image.block];
    let column = if block.space == Space::Copy { Column::Copy } else { Column::Output };
    let (first, count) = d.physical(column);
    for chunk in 0..count {
        if let Some((prefix, local)) = d.window(block.offset, block.bits(), chunk, rho) {
            weights[first + chunk] += f.image * prefix * image_weight_at(d, ch.z, &local);
        }
    }
    weights
}

/// `2^{limbBits·l}`.
pub fn limb_scale(d: &Descriptor, limb: usize) -> F {
    F::from(2u64).pow([(d.limb_bits * limb) as u64])
}
