//! Where the heavy steps of a proof are done: on the CPU here, on a card in `gpu::device`. The results are
//! the same bytes.

use super::descriptor::Descriptor;
use super::error::Error;
use super::field::F;
use super::kzg::Srs;
use super::lookups::{Fractions, Lookups};
use super::mercury::{self, Opening, Univariate};
use super::proof::Round;
use super::prover::commit_columns;
use super::rounds::{self, Constant, Product};
use super::transcript::Transcript;
use crate::gpu::device::OnCard;
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
            Self::Cuda { driver, ordinal } => Box::new(OnCard::open(driver, *ordinal, srs)?),
        })
    }
}

/// The heavy steps of a proof.
pub trait Steps {
    /// Commits to columns of integers.
    fn commit_columns(&self, column_bits: usize, cells: &[i64]) -> Result<Vec<G1Affine>, Error>;

    /// Commits to the columns of the second group.
    fn commit_lookups(
        &self,
        d: &Descriptor,
        lookups: &Lookups,
        fractions: &Fractions,
    ) -> Result<Vec<G1Affine>, Error>;

    /// [`rounds::prove_plain`]; of the products only their ends are left.
    fn prove_plain(
        &self,
        products: &mut [Product],
        claim: F,
        count: usize,
        transcript: &mut Transcript,
    ) -> Result<Rounds, Error>;

    /// [`rounds::prove_eq`]; of every factor one value is left.
    fn prove_eq(
        &self,
        parts: &mut [Constant],
        claim: F,
        tau: &[F],
        transcript: &mut Transcript,
    ) -> Result<Rounds, Error>;

    /// [`mercury::open`].
    fn open(
        &self,
        f: &[F],
        point: &[F],
        image: Option<&Univariate<Vec<F>>>,
        forged_value: Option<usize>,
        transcript: &mut Transcript,
    ) -> Result<Opening, Error>;
}

struct OnCpu<'a> {
    srs: &'a Srs,
}

impl Steps for OnCpu<'_> {
    fn commit_columns(&self, column_bits: usize, cells: &[i64]) -> Result<Vec<G1Affine>, Error> {
        Ok(commit_columns(self.srs, column_bits, cells))
    }

    fn commit_lookups(
        &self,
        d: &Descriptor,
        lookups: &Lookups,
        fractions: &Fractions,
    ) -> Result<Vec<G1Affine>, Error> {
        Ok(lookups.commit(d, self.srs, fractions))
    }

    fn prove_plain(
        &self,
        products: &mut [Product],
        claim: F,
        count: usize,
        transcript: &mut Transcript,
    ) -> Result<Rounds, Error> {
        Ok(rounds::prove_plain(products, claim, count, transcript))
    }

    fn prove_eq(
        &self,
        parts: &mut [Constant],
        claim: F,
        tau: &[F],
        transcript: &mut Transcript,
    ) -> Result<Rounds, Error> {
        Ok(rounds::prove_eq(parts, claim, tau, transcript))
    }

    fn open(
        &self,
        f: &[F],
        point: &[F],
        image: Option<&Univariate<Vec<F>>>,
        forged_value: Option<usize>,
        transcript: &mut Transcript,
    ) -> Result<Opening, Error> {
        Ok(mercury::open(self.srs, f, point, image, forged_value, transcript))
    }
}
