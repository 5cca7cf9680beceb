//! The public part of a key (protocol.md §2, §3): what is committed where and how it is wired.
//!
//! Everything is validated on reading, so that later code can index without checks.

use super::error::Error;
use super::field::{F, from_i64, read_point};
use super::kzg::read_g2;
use super::multilinear::eq_vector;
use super::transcript::keccak;
use ark_bn254::{G1Affine, G2Affine};
use serde::Deserialize;

/// The whole descriptor; field names are those of the JSON file.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Descriptor {
    pub format: String,
    pub version: u32,
    pub model_id: String,
    pub column_bits: usize,
    pub limb_bits: usize,
    pub limbs: usize,
    pub columns: ColumnCounts,
    pub latent: Latent,
    pub image: Image,
    pub blocks: Vec<Block>,
    pub nodes: Vec<Node>,
    pub segments: Vec<Segment>,
    pub commitments: Commitments,
    pub tau_g2: String,
}

/// Physical columns of each space.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct ColumnCounts {
    pub activation: usize,
    pub copy: usize,
    pub table: usize,
    pub weight: usize,
}

/// The seed's part: byte j of the expansion becomes `table[byte]`.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Latent {
    pub dimensions: usize,
    pub table: Vec<i64>,
}

/// Where the pixels are.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Image {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub block: usize,
    pub row_axes: Vec<usize>,
    pub column_axes: Vec<usize>,
    pub channel_axes: Vec<usize>,
}

/// Which column space a block lives in.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Space {
    /// Public, from the seed: block 0 only.
    Latent,
    /// q, out and the limbs.
    Activation,
    /// Rearranged copies.
    Copy,
}

/// A tensor: axes padded to powers of two, outermost first.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Block {
    pub space: Space,
    pub offset: usize,
    pub axes: Vec<usize>,
}

/// What fills a block.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", tag = "kind", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum Node {
    #[serde(rename_all = "camelCase")]
    Affine {
        output: usize,
        table: usize,
        /// Segment of each limb, −1 for a limb that must be zero.
        limbs: Vec<i64>,
        multiplier: i64,
        shift: u32,
        bias: Option<Bias>,
        terms: Vec<Term>,
    },
    #[serde(rename_all = "camelCase")]
    Copy {
        output: usize,
        input: usize,
        /// All axes of the input, in the order in which they are read.
        input_axes: Vec<usize>,
    },
}

/// A bias over some axes of the output, constant over the others.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Bias {
    pub offset: usize,
    pub axes: Vec<usize>,
}

/// One linear map (protocol.md §3.3).
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Term {
    pub input: usize,
    pub weight: usize,
    pub output_axes: Vec<usize>,
    pub row_axes: Vec<[usize; 2]>,
    pub group_axes: Vec<[usize; 2]>,
    pub contract_axes: Vec<usize>,
    pub kernel: [usize; 2],
    pub spatial: Vec<Spatial>,
}

/// One spatial axis: `input = output·stride + k·dilation − pad`, roles exchanged when transposed.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Spatial {
    pub output: Vec<usize>,
    pub input: Vec<usize>,
    pub kernel_axis: usize,
    pub stride: i64,
    pub dilation: i64,
    pub pad: i64,
    pub transposed: bool,
}

/// A power-of-two run of table rows `(tag, first + i, T_out)`; tag = index + 1.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Segment {
    pub offset: usize,
    pub bits: usize,
    pub first: i64,
}

/// Commitments made at setup, 64 bytes each, 0x-hex.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Commitments {
    pub table: Vec<String>,
    pub weight: Vec<String>,
}

/// A validated key.
pub struct Key {
    /// keccak256 of the canonical JSON.
    pub digest: [u8; 32],
    /// The descriptor.
    pub descriptor: Descriptor,
    /// Table columns.
    pub table: Vec<G1Affine>,
    /// Weight columns.
    pub weight: Vec<G1Affine>,
    /// `τ·G₂`.
    pub tau_g2: G2Affine,
}

/// ⌈log2 size⌉.
pub fn bits_of(size: usize) -> usize {
    size.next_power_of_two().trailing_zeros() as usize
}

impl Block {
    /// log2 of its cells.
    pub fn bits(&self) -> usize {
        self.axes.iter().map(|&size| bits_of(size)).sum()
    }

    /// Position of an axis in a point: first entry and length.
    pub fn slice(&self, axis: usize) -> std::ops::Range<usize> {
        let start = self.axes[..axis].iter().map(|&size| bits_of(size)).sum();
        start..start + bits_of(self.axes[axis])
    }

    /// `eq(point, ·)` of a composite index over `axes`, valid indices only, row-major.
    pub fn axes_eq(&self, axes: &[usize], point: &[F]) -> Vec<F> {
        let mut values = vec![F::from(1u64)];
        for &axis in axes {
            let own = eq_vector(&point[self.slice(axis)]);
            values = values
                .iter()
                .flat_map(|v| own[..self.axes[axis]].iter().map(move |o| *v * o))
                .collect();
        }
        values
    }

    /// Number of valid indices over `axes`.
    pub fn size(&self, axes: &[usize]) -> usize {
        axes.iter().map(|&axis| self.axes[axis]).product()
    }

    /// Bits of the padded indices over `axes`.
    pub fn axes_bits(&self, axes: &[usize]) -> usize {
        axes.iter().map(|&axis| bits_of(self.axes[axis])).sum()
    }

    /// Padded index over `axes` (in their order) of every valid composite index.
    pub fn addresses(&self, axes: &[usize]) -> Vec<usize> {
        let mut values = vec![0usize];
        for &axis in axes {
            let bits = bits_of(self.axes[axis]);
            values = values
                .iter()
                .flat_map(|v| (0..self.axes[axis]).map(move |i| (v << bits) | i))
                .collect();
        }
        values
    }

    /// Padded cell of every valid index, row-major.
    pub fn cells(&self) -> Vec<usize> {
        self.addresses(&(0..self.axes.len()).collect::<Vec<_>>())
    }
}

impl Spatial {
    /// All (output, kernel, input) triples of this axis.
    pub fn triples(&self, outputs: usize, kernel: usize, inputs: usize) -> Vec<[usize; 3]> {
        let (driving, driven) = if self.transposed { (inputs, outputs) } else { (outputs, inputs) };
        let mut triples = Vec::new();
        for t in 0..driving {
            for k in 0..kernel {
                let at = t as i64 * self.stride + k as i64 * self.dilation - self.pad;
                if at >= 0 && (at as usize) < driven {
                    triples.push(if self.transposed {
                        [at as usize, k, t]
                    } else {
                        [t, k, at as usize]
                    });
                }
            }
        }
        triples
    }
}

/// Sizes of the parts of a term's two points (protocol.md §3.3).
pub struct TermBits {
    /// Output axes that only the weights have.
    pub output: usize,
    /// Group axes.
    pub group: usize,
    /// Contracted axes.
    pub contract: usize,
    /// The flat kernel index.
    pub kernel: usize,
    /// Spatial input axes, one entry each.
    pub spatial: Vec<usize>,
}

impl TermBits {
    /// Variables of the first phase.
    pub fn first(&self) -> usize {
        self.group + self.contract + self.kernel
    }

    /// Variables of the second phase.
    pub fn second(&self) -> usize {
        self.group + self.spatial.iter().sum::<usize>()
    }
}

impl Term {
    /// Sizes of this term's points.
    pub fn bits(&self, output: &Block, input: &Block) -> TermBits {
        let inputs = |pairs: &[[usize; 2]]| pairs.iter().map(|p| p[1]).collect::<Vec<_>>();
        TermBits {
            output: output.axes_bits(&self.output_axes),
            group: input.axes_bits(&inputs(&self.group_axes)),
            contract: input.axes_bits(&self.contract_axes),
            kernel: bits_of(self.kernel[0] * self.kernel[1]),
            spatial: self.spatial.iter().map(|s| input.axes_bits(&s.input)).collect(),
        }
    }
}

impl Node {
    /// Index of the block that this node fills.
    pub fn output(&self) -> usize {
        match self {
            Node::Affine { output, .. } | Node::Copy { output, .. } => *output,
        }
    }
}

impl Descriptor {
    /// Rows of one column.
    pub fn rows(&self) -> usize {
        1 << self.column_bits
    }

    /// Physical columns that a proof commits to before any challenge, then after β and α.
    pub fn proof_columns(&self) -> (usize, usize) {
        let c = &self.columns;
        (
            (2 + self.limbs) * c.activation + c.copy + c.table,
            (1 + self.limbs) * c.activation + c.table,
        )
    }

    /// All physical columns.
    pub fn all_columns(&self) -> usize {
        let (first, second) = self.proof_columns();
        first + second + self.columns.table + self.columns.weight
    }

    /// Variables of the two phases of the affine sumcheck, and the number of terms (copies included).
    pub fn affine_rounds(&self) -> (usize, usize, usize) {
        let (mut first, mut second, mut terms) = (0, 0, 0);
        for node in &self.nodes {
            match node {
                Node::Affine { output, terms: own, .. } => {
                    for term in own {
                        let bits = term.bits(&self.blocks[*output], &self.blocks[term.input]);
                        first = first.max(bits.first());
                        second = second.max(bits.second());
                        terms += 1;
                    }
                }
                Node::Copy { input, .. } => {
                    second = second.max(self.blocks[*input].bits());
                    terms += 1;
                }
            }
        }
        (first, second, terms)
    }

    /// Entries of the output point r.
    pub fn output_bits(&self) -> usize {
        self.nodes.iter().map(|node| self.blocks[node.output()].bits()).max().unwrap_or(0)
    }

    /// The public latent, laid out in block 0.
    pub fn latent_cells(&self, bytes: &[u8]) -> Vec<i64> {
        let block = &self.blocks[0];
        let mut cells = vec![0i64; 1 << block.bits()];
        for (cell, byte) in block.cells().into_iter().zip(bytes) {
            cells[cell] = self.latent.table[*byte as usize];
        }
        cells
    }
}

fn hex(text: &str, bytes: usize) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    if digits.len() != bytes * 2 {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| {
            let text = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(text, 16).ok()
        })
        .collect()
}

fn ensure(holds: bool, what: &str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Key(what.into())) }
}

impl Key {
    /// Reads the canonical JSON of a key.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let descriptor: Descriptor =
            serde_json::from_str(json).map_err(|e| Error::Key(e.to_string()))?;
        validate(&descriptor)?;
        let points = |list: &[String]| {
            list.iter()
                .map(|text| hex(text, 64).and_then(|bytes| read_point(&bytes)))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| Error::Key("commitments".into()))
        };
        let table = points(&descriptor.commitments.table)?;
        let weight = points(&descriptor.commitments.weight)?;
        let tau_g2 = hex(&descriptor.tau_g2, 128)
            .and_then(|bytes| read_g2(&bytes))
            .ok_or_else(|| Error::Key("tauG2".into()))?;
        Ok(Self { digest: keccak(&[json.as_bytes()]), descriptor, table, weight, tau_g2 })
    }
}

/// Checks every index, size and alignment (protocol.md §3.6).
pub fn validate(d: &Descriptor) -> Result<(), Error> {
    ensure(d.format == "platemark-sumcheck-key" && d.version == 1, "format")?;
    ensure((2..=28).contains(&d.column_bits), "columnBits")?;
    ensure((1..=16).contains(&d.limb_bits) && d.limbs <= 4, "limbs")?;
    let c = &d.columns;
    ensure(
        (1..=64).contains(&c.activation)
            && c.copy <= 64
            && (1..=64).contains(&c.table)
            && c.weight <= 1024,
        "columns",
    )?;
    ensure(d.latent.table.len() == 256 && (1..=1 << 16).contains(&d.latent.dimensions), "latent")?;
    ensure(d.latent.table.iter().all(|v| v.unsigned_abs() < 1 << 52), "latent table")?;
    ensure((1..=4096).contains(&d.blocks.len()) && d.nodes.len() + 1 == d.blocks.len(), "blocks")?;
    for (i, block) in d.blocks.iter().enumerate() {
        ensure(
            block.axes.len() <= 32 && block.axes.iter().all(|&a| (2..=1 << 28).contains(&a)),
            "block axes",
        )?;
        let bits = block.bits();
        ensure(bits <= 34, "block size")?;
        let columns = match block.space {
            Space::Latent => {
                ensure(i == 0, "latent block")?;
                ensure(
                    block.offset == 0
                        && block.axes.iter().product::<usize>() == d.latent.dimensions,
                    "latent block",
                )?;
                continue;
            }
            Space::Activation => c.activation,
            Space::Copy => c.copy,
        };
        ensure(i != 0, "first block")?;
        ensure(
            block.offset % (1 << bits) == 0
                && block
                    .offset
                    .checked_add(1 << bits)
                    .is_some_and(|end| end <= columns << d.column_bits),
            "block offset",
        )?;
    }
    for (i, segment) in d.segments.iter().enumerate() {
        ensure(i < 1 << 16 && segment.bits <= 28, "segment")?;
        ensure(
            segment.offset % (1 << segment.bits) == 0
                && segment
                    .offset
                    .checked_add(1 << segment.bits)
                    .is_some_and(|end| end < c.table << d.column_bits),
            "segment offset",
        )?;
        ensure(segment.first.unsigned_abs() < 1 << 52, "segment first")?;
    }
    for (i, node) in d.nodes.iter().enumerate() {
        ensure(node.output() == i + 1, "node output")?;
        validate_node(d, i, node)?;
    }
    let image = &d.image;
    ensure(image.block > 0 && image.block < d.blocks.len(), "image block")?;
    let block = &d.blocks[image.block];
    let all: Vec<usize> = [&image.row_axes, &image.column_axes, &image.channel_axes]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    ensure(is_partition(&all, block.axes.len()), "image axes")?;
    ensure(
        block.size(&image.row_axes) == image.height
            && block.size(&image.column_axes) == image.width
            && block.size(&image.channel_axes) == image.channels,
        "image size",
    )?;
    ensure(
        d.commitments.table.len() == c.table && d.commitments.weight.len() == c.weight,
        "commitments",
    )
}

fn is_partition(axes: &[usize], count: usize) -> bool {
    let mut seen = vec![false; count];
    axes.len() == count
        && axes.iter().all(|&axis| axis < count && !std::mem::replace(&mut seen[axis], true))
}

fn fits(d: &Descriptor, offset: usize, bits: usize) -> bool {
    bits <= 34
        && offset.is_multiple_of(1usize << bits)
        && offset.checked_add(1 << bits).is_some_and(|end| end <= d.columns.weight << d.column_bits)
}

fn validate_node(d: &Descriptor, index: usize, node: &Node) -> Result<(), Error> {
    let block = &d.blocks[index + 1];
    match node {
        Node::Copy { input, input_axes, .. } => {
            ensure(block.space == Space::Copy, "copy block")?;
            ensure(*input <= index, "copy input")?;
            let from = &d.blocks[*input];
            ensure(is_partition(input_axes, from.axes.len()), "copy axes")?;
            ensure(
                from.axes.iter().product::<usize>() == block.axes.iter().product::<usize>(),
                "copy size",
            )
        }
        Node::Affine { table, limbs, multiplier, shift, bias, terms, .. } => {
            ensure(block.space == Space::Activation, "affine block")?;
            ensure(*table < d.segments.len(), "table")?;
            ensure(limbs.len() == d.limbs, "limbs")?;
            let mut bits_left = *shift as usize;
            for &limb in limbs {
                let bits = bits_left.min(d.limb_bits);
                bits_left -= bits;
                let good = if bits == 0 {
                    limb == -1
                } else {
                    usize::try_from(limb)
                        .ok()
                        .and_then(|i| d.segments.get(i))
                        .is_some_and(|s| s.bits == bits && s.first == 0)
                };
                ensure(good, "limb segment")?;
            }
            ensure(bits_left == 0, "shift")?;
            ensure((1..1 << 52).contains(multiplier), "multiplier")?;
            if let Some(bias) = bias {
                let mut seen = vec![false; block.axes.len()];
                let distinct = bias
                    .axes
                    .iter()
                    .all(|&axis| axis < seen.len() && !std::mem::replace(&mut seen[axis], true));
                ensure(distinct && fits(d, bias.offset, block.axes_bits(&bias.axes)), "bias")?;
            }
            for term in terms {
                ensure(term.input <= index, "term input")?;
                validate_term(d, block, &d.blocks[term.input], term)?;
            }
            Ok(())
        }
    }
}

fn validate_term(d: &Descriptor, output: &Block, input: &Block, term: &Term) -> Result<(), Error> {
    let mut outs = term.output_axes.clone();
    let mut ins = term.contract_axes.clone();
    for [o, i] in term.row_axes.iter().chain(&term.group_axes) {
        ensure(
            output.axes.get(*o).is_some() && output.axes.get(*o) == input.axes.get(*i),
            "paired axes",
        )?;
        outs.push(*o);
        ins.push(*i);
    }
    ensure(term.spatial.len() <= 2, "spatial axes")?;
    let mut kernel_used = [false; 2];
    ensure(term.spatial.is_sorted_by_key(|s| s.kernel_axis), "order of spatial axes")?;
    for s in &term.spatial {
        outs.extend(&s.output);
        ins.extend(&s.input);
        ensure(
            s.kernel_axis < 2 && !std::mem::replace(&mut kernel_used[s.kernel_axis], true),
            "kernel axis",
        )?;
        ensure(
            (1..1 << 20).contains(&s.stride)
                && (1..1 << 20).contains(&s.dilation)
                && (-(1 << 20)..1 << 20).contains(&s.pad),
            "spatial axis",
        )?;
    }
    ensure(is_partition(&outs, output.axes.len()), "term output axes")?;
    ensure(is_partition(&ins, input.axes.len()), "term input axes")?;
    for (size, used) in term.kernel.iter().zip(kernel_used) {
        ensure((1..=4096).contains(size) && (used || *size == 1), "kernel")?;
    }
    let bits = term.bits(output, input);
    ensure(fits(d, term.weight, bits.output + bits.first()), "weight offset")
}

/// A descriptor integer as a scalar.
pub fn scalar(value: i64) -> F {
    from_i64(value)
}
