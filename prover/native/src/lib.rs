//! The parts of platemark that need native speed.

pub mod sumcheck;
