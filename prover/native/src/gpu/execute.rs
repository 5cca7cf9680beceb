//! Execution of a model on a card (`sumcheck::execute`).

use super::card::{Argument, Buffer, Card, View};
use super::error::CardError;
use crate::sumcheck::affine::term_weights;
use crate::sumcheck::descriptor::{Block, Descriptor, Node, Region, Weight};
use crate::sumcheck::error::Error;
use crate::sumcheck::execute::{Execution, Positions, Step, TermIndex, image_pixels};
use crate::sumcheck::prover::ProvingKey;

/// Limbs that the kernel takes.
const MOST_LIMBS: usize = 4;

/// A model's cells on a card, as far as they are computed.
struct Running<'a> {
    card: &'a Card,
    pk: &'a ProvingKey,
    key: Buffer<i64>,
    publics: Vec<Buffer<i64>>,
    first: Buffer<i64>,
}

/// `sumcheck::execute::execute` on a card.
pub fn execute(
    card: &Card,
    pk: &ProvingKey,
    latent: &[u8],
    conditions: &[u8],
) -> Result<Execution, Error> {
    let d = &pk.key.descriptor;
    let publics = d.public_cells(latent, conditions)?;
    let running = Running {
        card,
        pk,
        key: card.upload(&pk.cells)?,
        publics: publics.iter().map(|cells| card.upload(cells)).collect::<Result<_, _>>()?,
        first: card.zeros(d.columns.first << d.column_bits)?,
    };
    for node in &d.nodes {
        running.node(node)?;
    }
    let first = running.first.read()?;
    let pixels = image_pixels(d, &first, &publics);
    Ok(Execution { first, pixels })
}

fn words(values: &[usize]) -> Vec<u32> {
    values.iter().map(|value| *value as u32).collect()
}

/// Steps as the kernel reads them.
fn flat(steps: &[Step]) -> Vec<u32> {
    steps.iter().flat_map(|step| [step.output, step.weight, step.input]).collect()
}

/// Positions on a card.
struct OnCard {
    outputs: Buffer<u32>,
    starts: Buffer<u32>,
    taps: Buffer<u32>,
}

impl OnCard {
    fn new(card: &Card, positions: &Positions) -> Result<Self, CardError> {
        Ok(Self {
            outputs: card.upload(&positions.outputs)?,
            starts: card.upload(&positions.starts)?,
            taps: card.upload(&flat(&positions.taps))?,
        })
    }

    fn structure(&self) -> [u64; 4] {
        let lists = [&self.outputs, &self.starts, &self.taps].map(|list| list.view().address());
        [lists[0], lists[1], lists[2], self.outputs.len() as u64]
    }
}

impl Running<'_> {
    fn descriptor(&self) -> &Descriptor {
        &self.pk.key.descriptor
    }

    fn values(&self, index: usize) -> View<'_, i64> {
        let d = self.descriptor();
        let block = &d.blocks[index];
        match d.values_at(block) {
            None => self.publics[index].view(),
            Some(offset) => self.first.range(Region { bits: block.bits(), offset }.range()),
        }
    }

    fn node(&self, node: &Node) -> Result<(), Error> {
        let d = self.descriptor();
        let block = &d.blocks[node.output()];
        match node {
            Node::Copy { output, input, input_axes } => {
                let (reads, cells) = (d.blocks[*input].places(input_axes), block.cells());
                let count = cells.len();
                let (reads, cells) =
                    (self.card.upload(&words(&reads))?, self.card.upload(&words(&cells))?);
                let arguments = [
                    self.values(*input).pointer(),
                    reads.view().pointer(),
                    cells.view().pointer(),
                    Argument::Word(count as u32),
                    self.values(*output).pointer(),
                ];
                Ok(self.card.launch("copy_cells", count, &arguments)?)
            }
            Node::Affine { bias, terms, .. } => {
                let sums = self.card.zeros::<i64>(1 << block.bits())?;
                if let Some(bias) = bias {
                    let index = TermIndex::of_bias(&bias.axes, block);
                    let one = self.card.upload(&[1i64])?;
                    let weights = self.key.range(bias.offset..self.key.len());
                    self.add_term(&index, weights, one.view(), &sums)?;
                }
                for term in terms {
                    let index = TermIndex::new(term, block, &d.blocks[term.input]);
                    let input = self.values(term.input);
                    match &term.weight {
                        Weight::Constant { offset } => {
                            let weights = self.key.range(*offset..self.key.len());
                            self.add_term(&index, weights, input, &sums)?;
                        }
                        Weight::Tensor { block: own, .. } => {
                            let values = self.values(*own).read()?;
                            let weights =
                                term_weights(d, term, block, &self.pk.cells, |_| values.as_slice());
                            let weights = self.card.upload(&weights)?;
                            self.add_term(&index, weights.view(), input, &sums)?;
                        }
                    }
                }
                self.requantize(node, block, &sums)
            }
        }
    }

    fn add_term(
        &self,
        index: &TermIndex,
        weights: View<i64>,
        input: View<i64>,
        sums: &Buffer<i64>,
    ) -> Result<(), CardError> {
        let card = self.card;
        let (outer, inner) = (card.upload(&flat(&index.outer))?, card.upload(&flat(&index.inner))?);
        let down = OnCard::new(card, &index.down)?;
        let across = OnCard::new(card, &index.across)?;
        let arguments = [
            weights.pointer(),
            input.pointer(),
            outer.view().pointer(),
            Argument::Word(index.outer.len() as u32),
            inner.view().pointer(),
            Argument::Word(index.inner.len() as u32),
            Argument::Structure(&down.structure()),
            Argument::Structure(&across.structure()),
            sums.view().pointer(),
        ];
        let threads = index.outer.len() * index.down.outputs.len() * index.across.outputs.len();
        card.launch("add_term", threads, &arguments)
    }

    fn requantize(&self, node: &Node, block: &Block, sums: &Buffer<i64>) -> Result<(), Error> {
        let Node::Affine { table, multiplier, shift, .. } = node else { return Ok(()) };
        let (d, card) = (self.descriptor(), self.card);
        if d.limbs > MOST_LIMBS {
            return Err(CardError::Arguments("requantize").into());
        }
        let segment = &d.segments[*table];
        let place = |offset: usize| {
            let range = Region { bits: block.bits(), offset: offset + block.offset }.range();
            self.first.range(range).address()
        };
        let mut places = [0; 3 + MOST_LIMBS];
        places[0] = place(d.activation.quotient);
        places[1] = place(d.activation.output);
        for (to, offset) in places[2..].iter_mut().zip(&d.activation.limbs) {
            *to = place(*offset);
        }
        places[2 + MOST_LIMBS] = d.limbs as u64;
        let cells = card.upload(&words(&block.cells()))?;
        let rows = Region { offset: d.table.output + segment.offset, bits: segment.bits }.range();
        let wrong = card.zeros::<u32>(1)?;
        let arguments = [
            sums.view().pointer(),
            cells.view().pointer(),
            Argument::Word(cells.len() as u32),
            Argument::Integer(*multiplier),
            Argument::Word(*shift),
            Argument::Word(d.limb_bits as u32),
            self.key.range(rows.clone()).pointer(),
            Argument::Integer(segment.first),
            Argument::Word(rows.len() as u32),
            Argument::Structure(&places),
            wrong.view().pointer(),
        ];
        card.launch("requantize", cells.len(), &arguments)?;
        match wrong.read()?[0] {
            0 => Ok(()),
            count => Err(Error::Unsatisfied(format!("{count} quotients are in no table"))),
        }
    }
}
