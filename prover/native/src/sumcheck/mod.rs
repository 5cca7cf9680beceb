//! The sumcheck backend: prover and verifier of `docs/protocol.md`, whose sections the modules name.
//!
//! [`descriptor`] is the key's public part; [`prover`] and [`verifier`] share its types, the
//! [`transcript`] and nothing else.

pub mod affine;
pub mod bindings;
pub mod buckets;
pub mod claims;
pub mod descriptor;
pub mod device;
pub mod error;
pub mod execute;
pub mod fallback;
pub mod field;
#[cfg(target_arch = "x86_64")]
pub mod ifma;
pub mod kzg;
pub mod lookups;
pub mod mercury;
pub mod merge;
#[cfg(target_arch = "x86_64")]
pub mod montgomery;
pub mod msm;
pub mod multilinear;
pub mod mulx;
pub mod phases;
pub mod proof;
pub mod prover;
pub mod rounds;
pub mod small;
pub mod transcript;
pub mod vector;
pub mod verifier;
