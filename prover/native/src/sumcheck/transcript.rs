//! Fiat–Shamir (protocol.md §5).
//!
//! ```text
//! state₀ = keccak256("platemark.sumcheck.v2")
//! step(m, n): state ← keccak256(state ‖ m); c₁ = state mod p;
//!             for i = 2…n: state ← keccak256(state); cᵢ = state mod p
//! ```

use super::field::{F, reduce};
use sha3::{Digest, Keccak256};

/// The running hash. Prover and verifier share this type and nothing else.
#[derive(Clone)]
pub struct Transcript {
    state: [u8; 32],
}

/// Keccak-256 as Ethereum has it.
pub fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Keccak256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

impl Default for Transcript {
    fn default() -> Self {
        Self { state: keccak(&[b"platemark.sumcheck.v2"]) }
    }
}

impl Transcript {
    /// Absorbs one message and returns `count` ≥ 1 challenges.
    pub fn step(&mut self, message: &[u8], count: usize) -> Vec<F> {
        self.state = keccak(&[&self.state, message]);
        let mut challenges = vec![reduce(&self.state)];
        while challenges.len() < count {
            self.state = keccak(&[&self.state]);
            challenges.push(reduce(&self.state));
        }
        challenges
    }

    /// Absorbs one message and returns one challenge.
    pub fn one(&mut self, message: &[u8]) -> F {
        self.state = keccak(&[&self.state, message]);
        reduce(&self.state)
    }
}
