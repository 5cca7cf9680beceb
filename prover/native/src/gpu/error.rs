//! What can go wrong with a card. None of it is about the statement: the CPU proves the same.

use thiserror::Error;

/// Why a card could not do its work.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CardError {
    /// No driver, or one that is too old.
    #[error("no usable NVIDIA driver: {0}")]
    NoDriver(String),
    /// The driver has no card of this number.
    #[error("there is no card {wanted}: the driver has {count}")]
    NoCard {
        /// What was asked for, from 0.
        wanted: u32,
        /// How many there are.
        count: u32,
    },
    /// The card has too little free memory.
    #[error("out of memory on the card: {wanted} bytes wanted, {free} free")]
    Memory {
        /// Of one allocation.
        wanted: usize,
        /// Free bytes when it failed.
        free: usize,
    },
    /// A function of the driver failed.
    #[error("{function} failed with code {code}: {text}")]
    Driver {
        /// The function.
        function: &'static str,
        /// Of `CUresult`.
        code: i32,
        /// The driver's words.
        text: String,
    },
    /// A launch that does not fit the kernel: a bug.
    #[error("kernel {0}: arguments do not fit")]
    Arguments(&'static str),
    /// The card computed something else than the CPU.
    #[error("the card computes wrongly: {0}")]
    Wrong(&'static str),
}
