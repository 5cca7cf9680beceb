//! The heavy parts of the sumcheck prover on an NVIDIA card.
//!
//! The kernels are CUDA C++ (`gpu/kernels/`), compiled to PTX beforehand ([`ptx`]) and translated for the
//! card at hand by its driver, which is loaded when it is there ([`driver`]). [`card`] owns memory and
//! launches; [`device`] does the steps of a proof with it; [`affine`], [`lookups`],
//! [`merge`], [`msm`], [`rounds`], [`polynomials`], [`columns`] and [`opening`] are what the prover's modules
//! of the same names do, with the same results: all arithmetic is exact, so a proof does not depend on
//! where it was made.
//!
//! Kernels read no memory but what their arguments name; sizes are checked here before each launch.

pub mod affine;
pub mod card;
pub mod checks;
pub mod columns;
pub mod device;
pub mod driver;
pub mod error;
pub mod execute;
pub mod lookups;
pub mod merge;
pub mod msm;
pub mod opening;
pub mod polynomials;
pub mod ptx;
pub mod rounds;
pub mod self_test;
