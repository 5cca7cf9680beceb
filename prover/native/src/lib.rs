//! Native speed for platemark: Groth16 development setup, powers of tau, and the file formats they
//! share with circom and snarkjs. Everything here is over BN254.
//!
//! The modules by role: [`sections`] is the container of all file formats; [`r1cs`], [`ptau`] and
//! [`zkey`] are one format each; [`points`] is how group elements look in them; [`fixed_base`] is the
//! multiplication that setups are made of; [`groth16_setup`] and [`powers_of_tau`] are the protocols;
//! [`linear`] is what compiling large models needs; [`bindings`] is what Node sees.
//!
//! Whatever is read from a file is untrusted: a malformed file is a [`error::NativeError`] that names
//! section and offset, never a panic.

pub mod bindings;
pub mod error;
pub mod fixed_base;
pub mod gpu;
pub mod groth16_setup;
pub mod lagrange;
pub mod linear;
pub mod points;
pub mod powers_of_tau;
pub mod ptau;
pub mod r1cs;
pub mod random;
pub mod sections;
pub mod sumcheck;
pub mod zkey;

/// Receives progress: the step, how much is done and of how much, in the same unit.
pub type Progress<'a> = &'a (dyn Fn(&str, u64, u64) + Sync);
