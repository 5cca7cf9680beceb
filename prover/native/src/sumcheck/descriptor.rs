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
    pub columns: Columns,
    pub activation: Activation,
    #[serde(deserialize_with = "present")]
    pub copy: Option<Region>,
    pub table: Table,
    pub latent: Latent,
    /// What is chosen besides the seed; absent where that is nothing.
    #[serde(default, deserialize_with = "listed")]
    pub conditions: Vec<Condition>,
    pub image: Image,
    pub blocks: Vec<Block>,
    pub nodes: Vec<Node>,
    pub segments: Vec<Segment>,
    /// One a column of the key group, 64 bytes each, 0x-hex.
    pub commitments: Vec<String>,
    pub tau_g2: String,
}

/// Physical columns of each group.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Columns {
    /// Committed before any challenge.
    pub first: usize,
    /// Committed after β and α.
    pub second: usize,
    /// Committed by the key.
    pub key: usize,
}

/// A group of columns: one flat address space, address a being row `a mod 2^N` of column `⌊a/2^N⌋`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// q, out, limbs, copies, m.
    First,
    /// h, g.
    Second,
    /// T_out, weights.
    Key,
}

/// The activation regions: all of 2^bits cells, one a quantity.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Activation {
    pub bits: usize,
    pub quotient: usize,
    pub output: usize,
    pub limbs: Vec<usize>,
    /// In the second group: h₀ of (q, out), h_{l+1} of limb l.
    pub inverses: Vec<usize>,
}

/// 2^bits addresses of a group.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Region {
    pub bits: usize,
    pub offset: usize,
}

impl Region {
    /// Its addresses.
    pub fn range(self) -> std::ops::Range<usize> {
        self.offset..self.offset + (1 << self.bits)
    }
}

/// The table regions: m in the first group, g in the second, T_out in the key's.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Table {
    pub bits: usize,
    pub multiplicity: usize,
    pub inverse: usize,
    pub output: usize,
}

/// The seed's part: byte j of the expansion becomes `table[byte]`.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Latent {
    pub dimensions: usize,
    pub table: Vec<i64>,
}

/// A public input of the user's (protocol.md §3.5).
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum Condition {
    /// The tensor with a 1 at the class and zeros elsewhere.
    Label {
        /// Two bytes name one of so many.
        classes: usize,
    },
    /// `table[byte]` for each byte.
    Vector {
        /// Bytes.
        dimensions: usize,
        /// 256 entries.
        table: Vec<i64>,
    },
}

impl Condition {
    /// Bytes in the statement.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Label { .. } => 2,
            Self::Vector { dimensions, .. } => *dimensions,
        }
    }

    /// Elements of its tensor.
    pub fn elements(&self) -> usize {
        match self {
            Self::Label { classes } => *classes,
            Self::Vector { dimensions, .. } => *dimensions,
        }
    }

    /// Its tensor, from its bytes; `None` for a class that is none.
    fn tensor(&self, bytes: &[u8]) -> Option<Vec<i64>> {
        match self {
            Self::Vector { table, .. } => {
                Some(bytes.iter().map(|byte| table[*byte as usize]).collect())
            }
            Self::Label { classes } => {
                let class = usize::from(u16::from_be_bytes(bytes.try_into().ok()?));
                let mut tensor = vec![0; *classes];
                *tensor.get_mut(class)? = 1;
                Some(tensor)
            }
        }
    }
}

/// What stands for the image in the statement (protocol.md §3.5).
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Binding {
    /// keccak of the pixels; verifiers have the pixels.
    Pixels,
    /// A hash of a KZG commitment; verifiers need nothing else.
    Commitment,
}

/// Where the pixels are.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Image {
    pub binding: Binding,
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
    /// Public, chosen: the blocks behind the latent.
    Condition,
    /// The regions q, out, rem_l and h_e.
    Activation,
    /// The region of copies.
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
        #[serde(deserialize_with = "present")]
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
    pub weight: Weight,
    pub output_axes: Vec<usize>,
    pub row_axes: Vec<[usize; 2]>,
    pub group_axes: Vec<[usize; 2]>,
    pub contract_axes: Vec<usize>,
    pub kernel: [usize; 2],
    pub spatial: Vec<Spatial>,
}

/// What a term multiplies its input by.
#[derive(Deserialize, Debug, Clone)]
#[serde(rename_all = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum Weight {
    /// A weight block at an offset of the key group.
    Constant {
        /// Address of its first element.
        offset: usize,
    },
    /// The values of a block before the output.
    Tensor {
        /// Index of the block.
        block: usize,
        /// Its axes in the order of (outputAxes, groupAxes, contractAxes).
        axes: Vec<usize>,
    },
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

/// A validated key.
pub struct Key {
    /// keccak256 of the canonical JSON.
    pub digest: [u8; 32],
    /// The descriptor.
    pub descriptor: Descriptor,
    /// The columns of the key group.
    pub commitments: Vec<G1Affine>,
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

    /// Cell of every valid composite index over `axes` (in their order), all other digits zero.
    pub fn places(&self, axes: &[usize]) -> Vec<usize> {
        let total = self.bits();
        let mut cells = vec![0usize];
        for &axis in axes {
            let shift = total - self.slice(axis).end;
            cells = cells
                .iter()
                .flat_map(|&c| (0..self.axes[axis]).map(move |i| c | (i << shift)))
                .collect();
        }
        cells
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

    /// Columns of a group.
    pub fn columns_of(&self, group: Group) -> usize {
        match group {
            Group::First => self.columns.first,
            Group::Second => self.columns.second,
            Group::Key => self.columns.key,
        }
    }

    /// All physical columns.
    pub fn all_columns(&self) -> usize {
        self.columns.first + self.columns.second + self.columns.key
    }

    /// Address of a group's address 0 where all groups stand side by side (protocol.md §4.1).
    pub fn base(&self, group: Group) -> usize {
        let columns = match group {
            Group::First => 0,
            Group::Second => self.columns.first,
            Group::Key => self.columns.first + self.columns.second,
        };
        columns << self.column_bits
    }

    /// Variables of the lookup sumcheck.
    pub fn lookup_bits(&self) -> usize {
        self.activation.bits.max(self.table.bits)
    }

    /// Bytes of an image.
    pub fn pixels(&self) -> usize {
        self.image.height * self.image.width * self.image.channels
    }

    /// Where the values of a block lie in the first group; `None` for a public one.
    pub fn values_at(&self, block: &Block) -> Option<usize> {
        match block.space {
            Space::Latent | Space::Condition => None,
            Space::Activation => Some(self.activation.output + block.offset),
            Space::Copy => self.copy.map(|region| region.offset + block.offset),
        }
    }

    /// All regions, T_out included, with their groups.
    fn regions(&self) -> Vec<(Group, Region)> {
        let (a, t) = (&self.activation, &self.table);
        let of = |group: Group, bits: usize| move |offset: usize| (group, Region { bits, offset });
        [a.quotient, a.output]
            .into_iter()
            .chain(a.limbs.iter().copied())
            .map(of(Group::First, a.bits))
            .chain(self.copy.map(|region| (Group::First, region)))
            .chain(a.inverses.iter().copied().map(of(Group::Second, a.bits)))
            .chain([
                of(Group::First, t.bits)(t.multiplicity),
                of(Group::Second, t.bits)(t.inverse),
                of(Group::Key, t.bits)(t.output),
            ])
            .collect()
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

    /// Blocks that verifiers compute from the statement: the latent and the conditions, before all others.
    pub fn publics(&self) -> usize {
        1 + self.conditions.len()
    }

    /// The cells of the public blocks.
    ///
    /// # Errors
    /// Another number of bytes than the key says, or a class that is none.
    pub fn public_cells(&self, latent: &[u8], conditions: &[u8]) -> Result<Vec<Vec<i64>>, Error> {
        expect_bytes("latent", self.latent.dimensions, latent)?;
        expect_bytes("condition", self.conditions.iter().map(Condition::bytes).sum(), conditions)?;
        let mut tensors: Vec<Vec<i64>> =
            vec![latent.iter().map(|byte| self.latent.table[*byte as usize]).collect()];
        let mut rest = conditions;
        for condition in &self.conditions {
            let (own, after) = rest.split_at(condition.bytes());
            let tensor =
                condition.tensor(own).ok_or_else(|| Error::PublicInput("no such class".into()))?;
            tensors.push(tensor);
            rest = after;
        }
        let padded = self.blocks.iter().zip(tensors).map(|(block, tensor)| {
            let mut cells = vec![0i64; 1 << block.bits()];
            for (cell, value) in block.cells().into_iter().zip(tensor) {
                cells[cell] = value;
            }
            cells
        });
        Ok(padded.collect())
    }
}

fn hex(text: &str, bytes: usize) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    let lowercase = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != bytes * 2 || !digits.iter().all(lowercase) {
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

/// A list that may be absent but neither null nor empty.
fn listed<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Vec::deserialize(deserializer)?;
    if list.is_empty() {
        return Err(serde::de::Error::custom("an empty list"));
    }
    Ok(list)
}

/// Refuses public inputs of the wrong size.
pub fn expect_bytes(what: &str, expected: usize, found: &[u8]) -> Result<(), Error> {
    if found.len() == expected {
        return Ok(());
    }
    Err(Error::PublicInput(format!("expected {expected} {what} bytes, found {}", found.len())))
}

/// A member that may be null but not absent.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
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
        let commitments = descriptor
            .commitments
            .iter()
            .map(|text| hex(text, 64).and_then(|bytes| read_point(&bytes)))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Error::Key("commitments".into()))?;
        let tau_g2 = hex(&descriptor.tau_g2, 128)
            .and_then(|bytes| read_g2(&bytes))
            .ok_or_else(|| Error::Key("tauG2".into()))?;
        Ok(Self { digest: keccak(&[json.as_bytes()]), descriptor, commitments, tau_g2 })
    }
}

/// Checks every index, size and alignment (protocol.md §3.6).
pub fn validate(d: &Descriptor) -> Result<(), Error> {
    ensure(d.format == "platemark-sumcheck-key" && d.version == 2, "format")?;
    ensure((2..=28).contains(&d.column_bits), "columnBits")?;
    ensure((1..=16).contains(&d.limb_bits) && d.limbs <= 4, "limbs")?;
    let c = &d.columns;
    ensure([c.first, c.second, c.key].iter().all(|n| (1..=1024).contains(n)), "columns")?;
    validate_regions(d)?;
    ensure(d.latent.table.len() == 256 && (1..=1 << 16).contains(&d.latent.dimensions), "latent")?;
    ensure(d.latent.table.iter().all(|v| v.unsigned_abs() < 1 << 52), "latent table")?;
    ensure(d.conditions.len() <= 16, "conditions")?;
    d.conditions.iter().try_for_each(validate_condition)?;
    let count = d.blocks.len();
    ensure((1..=4096).contains(&count) && d.nodes.len() + d.publics() == count, "blocks")?;
    for (i, block) in d.blocks.iter().enumerate() {
        ensure(
            block.axes.len() <= 32 && block.axes.iter().all(|&a| (2..=1 << 28).contains(&a)),
            "block axes",
        )?;
        let bits = block.bits();
        ensure(bits <= 34, "block size")?;
        let region = match block.space {
            Space::Latent => {
                ensure(
                    i == 0
                        && block.offset == 0
                        && block.axes.iter().product::<usize>() == d.latent.dimensions,
                    "latent block",
                )?;
                continue;
            }
            Space::Condition => {
                let condition = i.checked_sub(1).and_then(|i| d.conditions.get(i));
                let elements = condition.map(Condition::elements);
                ensure(
                    block.offset == 0 && elements == Some(block.axes.iter().product()),
                    "condition block",
                )?;
                continue;
            }
            Space::Activation => d.activation.bits,
            Space::Copy => d.copy.ok_or_else(|| Error::Key("copy region".into()))?.bits,
        };
        ensure(i >= d.publics(), "first blocks")?;
        ensure(is_aligned(block.offset, bits, 1 << region), "block offset")?;
    }
    for (i, segment) in d.segments.iter().enumerate() {
        ensure(i < 1 << 16 && segment.bits <= 28, "segment")?;
        // The last row belongs to no segment.
        ensure(
            is_aligned(segment.offset, segment.bits, (1 << d.table.bits) - 1),
            "segment offset",
        )?;
        ensure(segment.first.unsigned_abs() < 1 << 52, "segment first")?;
    }
    let segments = d.segments.iter().map(|s| Region { bits: s.bits, offset: s.offset });
    ensure(are_apart(segments), "segments overlap")?;
    for space in [Space::Activation, Space::Copy] {
        let of_space = d.blocks.iter().filter(|block| block.space == space);
        let regions = of_space.map(|block| Region { bits: block.bits(), offset: block.offset });
        ensure(are_apart(regions), "blocks overlap")?;
    }
    for (i, node) in d.nodes.iter().enumerate() {
        ensure(node.output() == d.publics() + i, "node output")?;
        validate_node(d, node)?;
    }
    let image = &d.image;
    ensure((d.publics()..d.blocks.len()).contains(&image.block), "image block")?;
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
    ensure(d.commitments.len() == c.key, "commitments")
}

fn validate_condition(condition: &Condition) -> Result<(), Error> {
    match condition {
        Condition::Label { classes } => ensure((2..=1 << 16).contains(classes), "classes"),
        Condition::Vector { dimensions, table } => {
            ensure((1..=1 << 16).contains(dimensions) && table.len() == 256, "vector")?;
            ensure(table.iter().all(|v| v.unsigned_abs() < 1 << 52), "vector table")
        }
    }
}

/// Every region in its group, none on another, no weights on T_out.
fn validate_regions(d: &Descriptor) -> Result<(), Error> {
    let a = &d.activation;
    ensure(a.limbs.len() == d.limbs && a.inverses.len() == d.limbs + 1, "activation regions")?;
    let regions = d.regions();
    for (group, region) in &regions {
        let end = d.columns_of(*group) << d.column_bits;
        ensure(region.bits <= 32 && is_aligned(region.offset, region.bits, end), "region")?;
    }
    for own in [Group::First, Group::Second, Group::Key] {
        let of_group = regions.iter().filter(|(group, _)| *group == own);
        ensure(are_apart(of_group.map(|(_, region)| *region)), "regions overlap")?;
    }
    Ok(())
}

fn are_apart(regions: impl Iterator<Item = Region>) -> bool {
    let mut sorted: Vec<Region> = regions.collect();
    sorted.sort_by_key(|region| region.offset);
    sorted.windows(2).all(|pair| !overlap(pair[0], pair[1]))
}

fn overlap(a: Region, b: Region) -> bool {
    a.range().start < b.range().end && b.range().start < a.range().end
}

/// Whether the 2^bits addresses from `offset` are a region that ends at `end` or before.
fn is_aligned(offset: usize, bits: usize, end: usize) -> bool {
    bits <= 40
        && offset.is_multiple_of(1usize << bits)
        && offset.checked_add(1 << bits).is_some_and(|own| own <= end)
}

fn is_partition(axes: &[usize], count: usize) -> bool {
    let mut seen = vec![false; count];
    axes.len() == count
        && axes.iter().all(|&axis| axis < count && !std::mem::replace(&mut seen[axis], true))
}

/// Whether 2^bits weights may lie at `offset` of the key group.
fn fits(d: &Descriptor, offset: usize, bits: usize) -> bool {
    let table = Region { bits: d.table.bits, offset: d.table.output };
    is_aligned(offset, bits, d.columns.key << d.column_bits)
        && !overlap(table, Region { bits, offset })
}

fn validate_node(d: &Descriptor, node: &Node) -> Result<(), Error> {
    let own = node.output();
    let block = &d.blocks[own];
    match node {
        Node::Copy { input, input_axes, .. } => {
            ensure(block.space == Space::Copy, "copy block")?;
            ensure(*input < own, "copy input")?;
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
            ensure(terms.len() <= 4096, "terms")?;
            for term in terms {
                ensure(term.input < own, "term input")?;
                validate_term(d, own, term)?;
            }
            Ok(())
        }
    }
}

/// A term of the node that fills block `own`, whose input is known to be a block before it.
fn validate_term(d: &Descriptor, own: usize, term: &Term) -> Result<(), Error> {
    let (output, input) = (&d.blocks[own], &d.blocks[term.input]);
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
                && (1 - (1 << 20)..1 << 20).contains(&s.pad),
            "spatial axis",
        )?;
    }
    ensure(is_partition(&outs, output.axes.len()), "term output axes")?;
    ensure(is_partition(&ins, input.axes.len()), "term input axes")?;
    for (size, used) in term.kernel.iter().zip(kernel_used) {
        ensure((1..=4096).contains(size) && (used || *size == 1), "kernel")?;
    }
    match &term.weight {
        Weight::Constant { offset } => {
            let bits = term.bits(output, input);
            ensure(fits(d, *offset, bits.output + bits.first()), "weight offset")
        }
        Weight::Tensor { block, axes } => {
            ensure(*block < own, "weight block")?;
            ensure(term.kernel == [1, 1] && term.spatial.is_empty(), "kernel of a tensor weight")?;
            let from = &d.blocks[*block];
            let sizes = term
                .output_axes
                .iter()
                .map(|&axis| output.axes[axis])
                .chain(term.group_axes.iter().map(|pair| input.axes[pair[1]]))
                .chain(term.contract_axes.iter().map(|&axis| input.axes[axis]));
            ensure(
                is_partition(axes, from.axes.len())
                    && sizes.eq(axes.iter().map(|&axis| from.axes[axis])),
                "weight axes",
            )
        }
    }
}

/// A descriptor integer as a scalar.
pub fn scalar(value: i64) -> F {
    from_i64(value)
}
