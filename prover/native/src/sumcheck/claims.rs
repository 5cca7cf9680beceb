//! All claims about columns as one linear functional (protocol.md §7).
//!
//! After the three sumchecks every claim has the form `Σ_columns Σ_x column(x)·w(x) = value` with a `w`
//! whose multilinear extension is easy: scaled `eq` of blocks, `eq` of the point s, the constant 1 (the
//! sum over a column), or the image's packing weights. Powers of ν merge them into one functional.

use super::descriptor::{Binding, Block, Descriptor, Group, Key, Node, Term, Weight, scalar};
use super::field::F;
use super::multilinear::{below, eq_eval, eq_index, eq_vector, power, powers};
use ark_ff::{Field, One, Zero};

/// How the aligned run of 2^bits addresses from `address` (of all groups side by side) looks from
/// physical column `column` at `point`: the factor of its prefix, and the point inside the run. `None`
/// when it is elsewhere.
pub fn window(address: usize, bits: usize, column: usize, point: &[F]) -> Option<(F, Vec<F>)> {
    let n = point.len();
    let chunk = column.checked_sub(address >> n)?;
    let high = bits.saturating_sub(n);
    if chunk >> high != 0 {
        return None;
    }
    if bits <= n {
        let prefix = (address & ((1 << n) - 1)) >> bits;
        let (outside, inside) = point.split_at(n - bits);
        return Some((eq_index(prefix, outside), inside.to_vec()));
    }
    let mut local: Vec<F> =
        (0..high).map(|i| F::from(((chunk >> (high - 1 - i)) & 1) as u64)).collect();
    local.extend_from_slice(point);
    Some((F::one(), local))
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

impl Challenges {
    /// The point of a block of `bits` bits: the last entries of r.
    pub fn output_point(&self, bits: usize) -> &[F] {
        &self.r[self.r.len() - bits..]
    }
}

/// Everything that the prover said before the merged sumcheck, and where the sumchecks ended.
#[derive(Default, Clone)]
#[allow(missing_docs)]
pub struct Values {
    pub affine_sum: F,
    pub first_end: F,
    pub contracted: Vec<F>,
    pub second_end: F,
    pub lookup_end: F,
    /// h₀ … h_L and g at s.
    pub inverses: Vec<F>,
}

/// Weights on the 2^bits addresses from `address`, all groups standing side by side.
pub struct Weights {
    /// A multiple of 2^bits of its group.
    pub address: usize,
    /// log2 of the addresses.
    pub bits: usize,
    /// Scale of the shape.
    pub coefficient: F,
    /// What is scaled.
    pub shape: Shape,
}

/// Weights whose multilinear extension is easy.
pub enum Shape {
    /// `eq(point, ·)`: the value at a point.
    Point(Vec<F>),
    /// 1: the sum.
    Ones,
    /// The packing of pixels in the image block.
    Image,
}

/// The merged functional `Σ column(x)·weights(x)` and its value.
#[allow(missing_docs)]
pub struct Functional {
    pub weights: Vec<Weights>,
    pub claim: F,
}

impl Functional {
    fn add(&mut self, address: usize, bits: usize, coefficient: F, shape: Shape) {
        self.weights.push(Weights { address, bits, coefficient, shape });
    }

    fn add_point(&mut self, address: usize, point: &[F], coefficient: F) {
        self.add(address, point.len(), coefficient, Shape::Point(point.to_vec()));
    }
}

/// Points and wiring of one term after both phases.
pub struct TermPoints {
    /// Point over (outputAxes, groupAxes, contractAxes, kernel).
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
    let r = ch.output_point(output.bits());
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
    output.axes_eq(&all, r).iter().zip(input.axes_eq(axes, point)).map(|(a, b)| *a * b).sum()
}

/// Rounding constant of a shift.
pub fn half(shift: u32) -> F {
    if shift == 0 { F::zero() } else { F::from(2u64).pow([u64::from(shift) - 1]) }
}

/// `eq(prefix of the offset, high entries)` and the rest of the point, for a run inside a region.
fn inside(offset: usize, bits: usize, point: &[F]) -> (F, &[F]) {
    let (high, rest) = point.split_at(point.len() - bits);
    (eq_index(offset >> bits, high), rest)
}

/// tag_e~ of the activation regions at a point, e = 0 … L.
fn tags(d: &Descriptor, point: &[F]) -> Vec<F> {
    let mut tags = vec![F::zero(); 1 + d.limbs];
    for node in &d.nodes {
        let Node::Affine { output, table, limbs, .. } = node else {
            continue;
        };
        let block = &d.blocks[*output];
        let (prefix, rest) = inside(block.offset, block.bits(), point);
        let weight = prefix * block.valid(rest);
        tags[0] += weight * F::from(*table as u64 + 1);
        for (tag, limb) in tags[1..].iter_mut().zip(limbs) {
            *tag += weight * scalar(*limb + 1);
        }
    }
    tags
}

/// (tag + β·index)~ of the table region at a point.
fn table_key(d: &Descriptor, beta: F, point: &[F]) -> F {
    let mut key = F::zero();
    for (i, segment) in d.segments.iter().enumerate() {
        let (prefix, rest) = inside(segment.offset, segment.bits, point);
        let index = rest.iter().fold(F::zero(), |sum, bit| sum + sum + bit);
        key += prefix * (F::from(i as u64 + 1) + beta * (scalar(segment.first) + index));
    }
    key
}

/// `lead_n`: Π (1 − x) over the entries before the last n.
pub fn lead(point: &[F], bits: usize) -> F {
    point[..point.len() - bits].iter().map(|x| F::one() - x).product()
}

/// First claim of the lookup sumcheck: h·(α − f) is 1 on every cell of the activation regions.
pub fn lookup_claim(d: &Descriptor, ch: &Challenges) -> F {
    lead(&ch.tau, d.activation.bits) * powers(ch.lambda, d.limbs + 1).iter().sum::<F>()
}

/// Merges all claims (protocol.md §7.1); `publics` are the cells of the first blocks, `image` the value of
/// claim 5.
pub fn functional(
    key: &Key,
    ch: &Challenges,
    values: &Values,
    publics: &[Vec<i64>],
    image: F,
) -> Functional {
    let d = &key.descriptor;
    let mut merged = Functional { weights: Vec::new(), claim: F::zero() };
    affine_claims(d, ch, values, publics, &mut merged);
    lookup_claims(d, ch, values, &mut merged);
    let block = &d.blocks[d.image.block];
    if let Some(offset) = d.values_at(block) {
        let address = d.base(Group::First) + offset;
        merged.add(address, block.bits(), power(ch.nu, 5), Shape::Image);
    }
    merged.claim += power(ch.nu, 5) * image;
    merged
}

/// The value at a point of a block, times a coefficient: a weight on its column, or, for a public block,
/// something known that is taken from the claim.
fn add_value(
    d: &Descriptor,
    publics: &[Vec<i64>],
    merged: &mut Functional,
    block: usize,
    point: &[F],
    coefficient: F,
) {
    match d.values_at(&d.blocks[block]) {
        Some(offset) => merged.add_point(d.base(Group::First) + offset, point, coefficient),
        None => {
            let eq = eq_vector(point);
            let value: F = publics[block]
                .iter()
                .zip(&eq)
                .filter(|(v, _)| **v != 0)
                .map(|(v, e)| scalar(*v) * e)
                .sum();
            merged.claim -= coefficient * value;
        }
    }
}

/// Claims 0 (requantisation), 1 (weights) and 2 (inputs), taken with 1, ν and ν².
fn affine_claims(
    d: &Descriptor,
    ch: &Challenges,
    values: &Values,
    publics: &[Vec<i64>],
    merged: &mut Functional,
) {
    let (first, key) = (d.base(Group::First), d.base(Group::Key));
    let nu2 = ch.nu.square();
    merged.claim += values.affine_sum + ch.nu * values.first_end + nu2 * values.second_end;
    let mut gamma = F::one();
    let mut eta = F::one();
    let mut contracted = values.contracted.iter();
    for node in &d.nodes {
        let output = &d.blocks[node.output()];
        let r = ch.output_point(output.bits());
        match node {
            Node::Copy { output: block, input, input_axes } => {
                add_value(d, publics, merged, *block, r, gamma);
                let value = contracted.next().copied().unwrap_or_default();
                merged.claim -= ch.nu * gamma * pad(&ch.first, 0) * value;
                let from = &d.blocks[*input];
                let point = &ch.second[..from.bits()];
                let wire = copy_wire(input_axes, output, from, r, point);
                let coefficient = nu2 * eta * pad(&ch.second, from.bits()) * wire;
                add_value(d, publics, merged, *input, point, coefficient);
                eta *= ch.eta;
            }
            Node::Affine { multiplier, shift, bias, terms, .. } => {
                let cell = first + output.offset;
                let quotient = gamma * F::from(2u64).pow([u64::from(*shift)]);
                merged.add_point(cell + d.activation.quotient, r, quotient);
                for (l, limb) in d.activation.limbs.iter().enumerate() {
                    merged.add_point(cell + limb, r, gamma * limb_scale(d, l));
                }
                merged.claim += gamma * half(*shift) * output.valid(r);
                let scale = gamma * scalar(*multiplier);
                if let Some(bias) = bias {
                    let mask: F = (0..output.axes.len())
                        .filter(|axis| !bias.axes.contains(axis))
                        .map(|axis| below(output.axes[axis], &r[output.slice(axis)]))
                        .product();
                    let point: Vec<F> = bias
                        .axes
                        .iter()
                        .flat_map(|&axis| r[output.slice(axis)].iter().copied())
                        .collect();
                    merged.add_point(key + bias.offset, &point, -scale * mask);
                }
                for term in terms {
                    let points = term_points(term, output, &d.blocks[term.input], ch);
                    let value = contracted.next().copied().unwrap_or_default();
                    let coefficient = ch.nu * scale * points.first_pad * value;
                    match &term.weight {
                        Weight::Constant { offset } => {
                            merged.add_point(key + offset, &points.weight, coefficient);
                        }
                        Weight::Tensor { block, axes } => {
                            let point = tensor_point(&d.blocks[*block], axes, &points.weight);
                            add_value(d, publics, merged, *block, &point, coefficient);
                        }
                    }
                    let coefficient = nu2 * eta * points.second_pad * points.wire;
                    add_value(d, publics, merged, term.input, &points.input, coefficient);
                    eta *= ch.eta;
                }
            }
        }
        gamma *= ch.gamma;
    }
}

/// A point whose slices are of the axes in the order `axes`, as a point of the block.
fn tensor_point(block: &Block, axes: &[usize], point: &[F]) -> Vec<F> {
    let mut own = vec![F::zero(); block.bits()];
    let mut from = 0;
    for &axis in axes {
        let slice = block.slice(axis);
        let to = from + slice.len();
        own[slice].copy_from_slice(&point[from..to]);
        from = to;
    }
    own
}

/// Claims 3 (equal sums), 4 (the end of the lookup sumcheck) and 6 … (h and g at s).
fn lookup_claims(d: &Descriptor, ch: &Challenges, values: &Values, merged: &mut Functional) {
    let nu3 = power(ch.nu, 3);
    let nu4 = power(ch.nu, 4);
    let beta2 = ch.beta.square();
    let (first, second, key) = (d.base(Group::First), d.base(Group::Second), d.base(Group::Key));
    let (a, t) = (&d.activation, &d.table);
    let at = |bits: usize| (&ch.s[ch.s.len() - bits..], lead(&ch.s, bits));
    let (cell, lead_cell) = at(a.bits);
    let (row, lead_row) = at(t.bits);
    let tags = tags(d, cell);
    merged.claim += nu4 * values.lookup_end;
    let mut lambda = F::one();
    let mut nu = power(ch.nu, 6);
    for (e, (value, tag)) in values.inverses.iter().zip(&tags).enumerate() {
        merged.add_point(second + a.inverses[e], cell, nu);
        merged.add(second + a.inverses[e], a.bits, nu3, Shape::Ones);
        let weight = nu4 * lambda * lead_cell * value;
        if e == 0 {
            merged.add_point(first + a.quotient, cell, -weight * ch.beta);
            merged.add_point(first + a.output, cell, -weight * beta2);
        } else {
            merged.add_point(first + a.limbs[e - 1], cell, -weight * ch.beta);
        }
        merged.claim += nu * value - weight * (ch.alpha - tag);
        lambda *= ch.lambda;
        nu *= ch.nu;
    }
    let value = values.inverses.get(tags.len()).copied().unwrap_or_default();
    merged.add_point(second + t.inverse, row, nu);
    merged.add(second + t.inverse, t.bits, -nu3, Shape::Ones);
    let scale = nu4 * lambda * lead_row;
    merged.add_point(key + t.output, row, -scale * value * beta2);
    merged.add_point(first + t.multiplicity, row, -scale);
    merged.claim += nu * value - scale * value * (ch.alpha - table_key(d, ch.beta, row));
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

/// Weights of a pixel row's start, and of a byte inside a row (protocol.md §7.3).
pub fn image_weights(d: &Descriptor, z: F) -> (Vec<F>, Vec<F>) {
    let row = d.image.width * d.image.channels;
    match d.image.binding {
        Binding::Commitment => (powers(power(z, row as u64), d.image.height), powers(z, row)),
        Binding::Pixels => {
            let words = powers(z, row_words(d));
            let digits = powers(F::from(256u64), WORD);
            let inside = (0..row).map(|o| words[o / WORD] * digits[WORD - 1 - o % WORD]).collect();
            (powers(power(z, row_words(d) as u64), d.image.height), inside)
        }
    }
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
pub fn weights_at(d: &Descriptor, merged: &Functional, ch: &Challenges, rho: &[F]) -> Vec<F> {
    let mut weights = vec![F::zero(); d.all_columns()];
    for own in &merged.weights {
        let first = own.address >> d.column_bits;
        let count = 1usize << own.bits.saturating_sub(d.column_bits);
        for (column, weight) in weights.iter_mut().enumerate().skip(first).take(count) {
            let Some((prefix, local)) = window(own.address, own.bits, column, rho) else {
                continue;
            };
            let shape = match &own.shape {
                Shape::Point(point) => eq_eval(&local, point),
                Shape::Ones => F::one(),
                Shape::Image => image_weight_at(d, ch.z, &local),
            };
            *weight += own.coefficient * prefix * shape;
        }
    }
    weights
}

/// `2^{limbBits·l}`.
pub fn limb_scale(d: &Descriptor, limb: usize) -> F {
    F::from(2u64).pow([(d.limb_bits * limb) as u64])
}
