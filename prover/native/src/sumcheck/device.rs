//! Where the heavy steps of a proof are done: on the CPU here, on a card in `gpu::device`. The results are
//! the same bytes.

use super::claims::{Challenges, Functional};
use super::error::Error;
use super::fallback::CardOrCpu;
use super::field::F;
use super::kzg::Srs;
use super::mercury::{self, Opening, Univariate};
use super::phases::{self, AffineOnCpu, Task};
use super::proof::{Proof, Round};
use super::prover::commit_columns;
use super::rounds;
use super::transcript::Transcript;
use crate::gpu::driver::Driver;
use ark_bn254::G1Affine;
use std::sync::Arc;

/// The messages of a sumcheck, its challenges and its last claim.
pub type Rounds = (Vec<Round>, Vec<F>, F);

/// What a proof is made with.
#[derive(Clone)]
pub enum Device {
    /// The processor.
    Cpu,
    /// A card.
    Cuda {
        /// The driver that has it.
        driver: Arc<Driver>,
        /// Its number, from 0.
        ordinal: u32,
    },
}

impl Device {
    /// Gets ready to prove with these powers.
    pub fn open<'a>(&self, srs: &'a Srs) -> Result<Box<dyn Steps + 'a>, Error> {
        Ok(match self {
            Self::Cpu => Box::new(OnCpu { srs }),
            Self::Cuda { driver, ordinal } => Box::new(CardOrCpu::open(driver, *ordinal, srs)?),
        })
    }
}

/// What is opened, beside the columns.
#[derive(Clone, Copy)]
pub struct Opened<'a> {
    /// Factors of the columns.
    pub scales: &'a [F],
    /// Where their sum is opened.
    pub point: &'a [F],
    /// The image's polynomial, where a commitment binds the image.
    pub image: Option<&'a Univariate<Vec<F>>>,
    /// A value to lie about: for tests of what verifiers reject.
    pub forged_value: Option<usize>,
}

/// The heavy steps of a proof, in their order. Each reads what the task has, so that a step may be done
/// elsewhere than the one before.
pub trait Steps {
    /// Commits to the columns of the first group.
    fn commit_columns(&self, task: &Task) -> Result<Vec<G1Affine>, Error>;

    /// Commits to the columns of the second group, at β and α.
    fn commit_lookups(&self, task: &Task, ch: &Challenges) -> Result<Vec<G1Affine>, Error>;

    /// Both phases of the affine argument ([`phases::prove_affine`]): their last claims.
    fn prove_affine(
        &self,
        task: &Task,
        ch: &mut Challenges,
        proof: &mut Proof,
        transcript: &mut Transcript,
    ) -> Result<(F, F), Error>;

    /// The lookup sumcheck, and the values h₀ … h_L, g where it ends.
    fn prove_lookups(
        &self,
        task: &Task,
        ch: &Challenges,
        transcript: &mut Transcript,
    ) -> Result<(Rounds, Vec<F>), Error>;

    /// The merging sumcheck, and the value of every column where it ends.
    fn prove_merge(
        &self,
        task: &Task,
        ch: &Challenges,
        merged: &Functional,
        transcript: &mut Transcript,
    ) -> Result<(Rounds, Vec<F>), Error>;

    /// Opens the sum of all columns.
    fn open(
        &self,
        task: &Task,
        ch: &Challenges,
        opened: &Opened,
        transcript: &mut Transcript,
    ) -> Result<Opening, Error>;

    /// Where the last step was done, and why there if that is not what was asked for; for people.
    fn done_on(&self) -> (String, Option<String>) {
        (CPU.into(), None)
    }
}

/// The processor's name.
pub const CPU: &str = "cpu";

/// The steps on the processor.
pub struct OnCpu<'a> {
    /// Powers of τ.
    pub srs: &'a Srs,
}

impl Steps for OnCpu<'_> {
    fn commit_columns(&self, task: &Task) -> Result<Vec<G1Affine>, Error> {
        Ok(commit_columns(self.srs, task.descriptor().column_bits, task.first))
    }

    fn commit_lookups(&self, task: &Task, ch: &Challenges) -> Result<Vec<G1Affine>, Error> {
        Ok(task.lookups.commit(task.descriptor(), self.srs, task.fractions(ch)))
    }

    fn prove_affine(
        &self,
        task: &Task,
        ch: &mut Challenges,
        proof: &mut Proof,
        transcript: &mut Transcript,
    ) -> Result<(F, F), Error> {
        phases::prove_affine(task, &mut AffineOnCpu::new(task), ch, proof, transcript)
    }

    fn prove_lookups(
        &self,
        task: &Task,
        ch: &Challenges,
        transcript: &mut Transcript,
    ) -> Result<(Rounds, Vec<F>), Error> {
        Ok(phases::prove_lookups(task, ch, transcript))
    }

    fn prove_merge(
        &self,
        task: &Task,
        ch: &Challenges,
        merged: &Functional,
        transcript: &mut Transcript,
    ) -> Result<(Rounds, Vec<F>), Error> {
        let d = task.descriptor();
        let mut products = task.groups(ch).products(d, merged, ch);
        let found = rounds::prove_plain(&mut products, merged.claim, d.column_bits, transcript);
        Ok((found, products.iter().map(|product| product.ends().0).collect()))
    }

    fn open(
        &self,
        task: &Task,
        ch: &Challenges,
        opened: &Opened,
        transcript: &mut Transcript,
    ) -> Result<Opening, Error> {
        let sum = task.groups(ch).combine(opened.scales, task.descriptor().rows());
        let Opened { point, image, forged_value, .. } = *opened;
        Ok(mercury::open(self.srs, &sum, point, image, forged_value, transcript))
    }
}
