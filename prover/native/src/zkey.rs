//! The proving keys that snarkjs proves with (Groth16).
//!
//! ```text
//! section 1   protocol u32 (1: Groth16)
//! section 2   q size u32, q, r size u32, r, wires u32, public u32, domain u32,
//!             α·G1, β·G1, β·G2, γ·G2, δ·G1, δ·G2
//! section 3   per public wire      (β·a_i(τ) + α·b_i(τ) + c_i(τ))/γ · G1, the constant one first
//! section 4   count u32, then per entry of a and b:
//!             matrix u32 (0: a, 1: b)  row u32  wire u32  coefficient·2^512 mod r (32 bytes)
//! section 5   per wire             a_i(τ) · G1
//! section 6   per wire             b_i(τ) · G1
//! section 7   per wire             b_i(τ) · G2
//! section 8   per private wire     (β·a_i(τ) + α·b_i(τ) + c_i(τ))/δ · G1
//! section 9   i = 0 … n−1          L_{2i+1}(τ)/δ · G1, L over the 2n-th roots of unity
//! section 10  64 bytes that identify the circuit, count u32, phase-2 contributions
//! ```
//!
//! Why 2^512: the prover multiplies the stored integer by a witness that is not in Montgomery form,
//! with a Montgomery multiplication; of the two factors 2^256 one is taken away, one stays.
//!
//! Why section 9 is enough for the quotient: p = a·b − c has degree below 2n and vanishes on the even
//! powers of the 2n-th root of unity, so p(τ) = Σ p(ω^{2i+1})·L_{2i+1}(τ).

use ark_bn254::{Fq, Fr};
use ark_ff::PrimeField;

use crate::error::Result;
use crate::points::{MONTGOMERY_FACTOR, limbs_to_bytes};
use crate::r1cs::{Side, Term};
use crate::sections::SectionWriter;

/// Number of sections.
pub const SECTIONS: u32 = 10;

/// Writes section 1 and the numbers that section 2 begins with; the section stays open for points.
pub fn begin_header(out: &mut SectionWriter, wires: u32, public: u32, domain: u32) -> Result<()> {
    out.begin(1)?;
    out.u32(1)?;
    out.end()?;
    out.begin(2)?;
    for modulus in [Fq::MODULUS, Fr::MODULUS] {
        out.u32(32)?;
        out.bytes(&limbs_to_bytes(&modulus))?;
    }
    out.u32(wires)?;
    out.u32(public)?;
    out.u32(domain)
}

/// Writes section 4 entry by entry and counts them.
pub struct CoefficientWriter {
    at: u64,
    count: u32,
}

impl CoefficientWriter {
    /// Begins the section.
    pub fn begin(out: &mut SectionWriter) -> Result<Self> {
        out.begin(4)?;
        let at = out.position()?;
        out.u32(0)?;
        Ok(Self { at, count: 0 })
    }

    /// Writes a term of a or b; those of c the prover computes.
    pub fn push(&mut self, out: &mut SectionWriter, term: &Term) -> Result<()> {
        let matrix: u32 = match term.side {
            Side::A => 0,
            Side::B => 1,
            Side::C => return Ok(()),
        };
        let mut entry = [0; 44];
        entry[..4].copy_from_slice(&matrix.to_le_bytes());
        entry[4..8].copy_from_slice(&term.row.to_le_bytes());
        entry[8..12].copy_from_slice(&term.wire.to_le_bytes());
        // In memory the coefficient is ·2^256 already.
        entry[12..].copy_from_slice(&limbs_to_bytes(&(term.coefficient * MONTGOMERY_FACTOR).0));
        self.count += 1;
        out.bytes(&entry)
    }

    /// Ends the section.
    pub fn end(self, out: &mut SectionWriter) -> Result<()> {
        out.patch(self.at, &self.count.to_le_bytes())?;
        out.end()
    }
}
