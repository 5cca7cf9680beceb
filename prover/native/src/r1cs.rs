//! The constraint systems that circom writes.
//!
//! A constraint is ⟨a,z⟩·⟨b,z⟩ = ⟨c,z⟩ over the wires z, with z_0 = 1; wires 1 … l are the public
//! outputs, then the public inputs.
//!
//! ```text
//! section 1  field size u32 (32)  r (32 bytes)  wires u32  public outputs u32  public inputs u32
//!            private inputs u32  labels u64  constraints u32
//! section 2  per constraint a, b, c:  count u32, then count times  wire u32  coefficient (32 bytes)
//! section 3  the label of every wire, u64
//! ```

use std::path::Path;

use ark_bn254::Fr;
use ark_ff::PrimeField;

use crate::error::Result;
use crate::points::{bytes_to_limbs, limbs_to_bytes};
use crate::sections::SectionFile;

/// The side of a constraint that a term belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Left factor.
    A,
    /// Right factor.
    B,
    /// Product.
    C,
}

/// `coefficient · z_wire` on one side of a constraint.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// Which linear form of the constraint.
    pub side: Side,
    /// Index of the constraint.
    pub row: u32,
    /// Index of the wire.
    pub wire: u32,
    /// Factor.
    pub coefficient: Fr,
}

/// An opened constraint system.
#[derive(Debug)]
pub struct R1cs {
    file: SectionFile,
    /// Number of wires, the constant one included.
    pub wires: u32,
    /// Number of public outputs and inputs.
    pub public: u32,
    /// Number of constraints.
    pub constraints: u32,
}

impl R1cs {
    /// Opens a file and checks its header. The counts are within what the file's size allows.
    pub fn open(path: &Path) -> Result<Self> {
        let file = SectionFile::open(path, "r1cs")?;
        if let Some(custom) = [4, 5].into_iter().find(|id| file.length(*id).is_some_and(|n| n > 4))
        {
            return Err(file.place(custom).malformed("no custom gates", "custom gates"));
        }
        let mut header = file.read_exactly(1, 64)?;
        let size = header.u32()?;
        if size != 32 {
            return Err(header.place().malformed("a field of 32 bytes", size));
        }
        if header.array()? != limbs_to_bytes(&Fr::MODULUS) {
            return Err(header.place().malformed("the scalar field of BN254", "another prime"));
        }
        let [wires, outputs, inputs, private] =
            [header.u32()?, header.u32()?, header.u32()?, header.u32()?];
        header.u64()?;
        let constraints = header.u32()?;
        let visible = 1 + u64::from(outputs) + u64::from(inputs) + u64::from(private);
        if visible > u64::from(wires) {
            return Err(header
                .place()
                .malformed(format!("at least {visible} wires"), format!("{wires} wires")));
        }
        let labels = 8 * u64::from(wires);
        file.read_exactly(3, labels)?;
        let smallest = 12 * u64::from(constraints);
        if file.length(2).is_none_or(|length| length < smallest) {
            return Err(file
                .place(2)
                .malformed(format!("{constraints} constraints"), "a section too short for them"));
        }
        Ok(Self { file, wires, public: outputs + inputs, constraints })
    }

    /// Calls `visit` with every term of every constraint, in the order of the file.
    pub fn for_each_term(&self, mut visit: impl FnMut(Term) -> Result<()>) -> Result<()> {
        let mut reader = self.file.read(2)?;
        for row in 0..self.constraints {
            for side in [Side::A, Side::B, Side::C] {
                for _ in 0..reader.u32()? {
                    let wire = reader.u32()?;
                    let integer = bytes_to_limbs(&reader.array()?);
                    if wire >= self.wires {
                        return Err(reader
                            .place()
                            .malformed(format!("a wire below {}", self.wires), wire));
                    }
                    let Some(coefficient) = Fr::from_bigint(integer) else {
                        return Err(reader
                            .place()
                            .malformed("a coefficient below the modulus", "a larger one"));
                    };
                    visit(Term { side, row, wire, coefficient })?;
                }
            }
        }
        reader.end()
    }
}
