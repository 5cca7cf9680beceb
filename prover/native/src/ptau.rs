//! Powers of tau as snarkjs keeps them. N = 2^power.
//!
//! ```text
//! section 1   q size u32 (32)  q (32 bytes)  power u32  ceremony power u32
//! section 2   τ^i·G1       i = 0 … 2N−2
//! section 3   τ^i·G2       i = 0 … N−1
//! section 4   α·τ^i·G1     i = 0 … N−1
//! section 5   β·τ^i·G1     i = 0 … N−1
//! section 6   β·G2
//! section 7   count u32, contributions
//! section 12 … 15, in files prepared for phase 2: for p = 0 … power (section 12: … power+1) the
//!             Lagrange basis over the 2^p-th roots of unity, L_i(τ)·{G1, G2, α·G1, β·G1}
//! ```
//!
//! A contribution is
//!
//! ```text
//! τ·G1  τ·G2  α·G1  β·G1  β·G2  after it      key: 6 points of G1, 3 of G2
//! partial hash (216 bytes)  next challenge (64 bytes)  type u32 (0: person, 1: beacon)
//! parameter bytes u32, then in rising order of tag
//!     1 length u8 name     2 beacon iterations exponent u8     3 length u8 beacon
//! ```

use std::path::Path;

use ark_bn254::{Fr, G1Affine, G2Affine, g1, g2};

use crate::error::Result;
use crate::lagrange::TWO_ADICITY;
use crate::points::{base_modulus_bytes, read_points};
use crate::sections::{SectionFile, SectionReader};

/// The four sequences of powers: section, its Lagrange form's section.
pub const TAU_G1: (u32, u32) = (2, 12);
/// See [`TAU_G1`].
pub const TAU_G2: (u32, u32) = (3, 13);
/// See [`TAU_G1`].
pub const ALPHA_TAU_G1: (u32, u32) = (4, 14);
/// See [`TAU_G1`].
pub const BETA_TAU_G1: (u32, u32) = (5, 15);
/// β·G2.
pub const BETA_G2: u32 = 6;
/// The contributions.
pub const CONTRIBUTIONS: u32 = 7;

/// One contribution to phase 1: what the powers were after it.
#[derive(Clone, Debug)]
pub struct Contribution {
    /// What its contributor called it; empty when nothing.
    pub name: String,
    /// Whether it is a random beacon.
    pub beacon: bool,
    /// τ·G1.
    pub tau_g1: G1Affine,
    /// τ·G2.
    pub tau_g2: G2Affine,
    /// α·G1.
    pub alpha_g1: G1Affine,
    /// β·G1.
    pub beta_g1: G1Affine,
    /// β·G2.
    pub beta_g2: G2Affine,
}

/// An opened file whose header and section lengths are right.
#[derive(Debug)]
pub struct PowersOfTau {
    /// The container.
    pub file: SectionFile,
    /// log2 of the number of powers.
    pub power: u32,
    /// The same of the ceremony that this file was cut from.
    pub ceremony_power: u32,
    /// Whether the Lagrange sections are there.
    pub prepared: bool,
}

impl PowersOfTau {
    /// Opens a file and checks header and lengths, no point yet.
    pub fn open(path: &Path) -> Result<Self> {
        let file = SectionFile::open(path, "ptau")?;
        let mut header = file.read_exactly(1, 44)?;
        let size = header.u32()?;
        if size != 32 {
            return Err(header.place().malformed("a field of 32 bytes", size));
        }
        if header.array()? != base_modulus_bytes() {
            return Err(header.place().malformed("the base field of BN254", "another prime"));
        }
        let (power, ceremony_power) = (header.u32()?, header.u32()?);
        // Section 12 needs the 2^(power+1)-th roots of unity.
        if power == 0 || power >= TWO_ADICITY {
            let expected = format!("a power from 1 to {}", TWO_ADICITY - 1);
            return Err(header.place().malformed(expected, power));
        }
        if ceremony_power < power || ceremony_power > TWO_ADICITY {
            let expected = format!("a ceremony power from {power} to {TWO_ADICITY}");
            return Err(header.place().malformed(expected, ceremony_power));
        }
        let opened = Self { prepared: file.has(TAU_G1.1), file, power, ceremony_power };
        let n = 1u64 << power;
        let mut lengths =
            vec![(2, (2 * n - 1) * 64), (3, n * 128), (4, n * 64), (5, n * 64), (6, 128)];
        if opened.prepared {
            let levels = 2 * n - 1;
            lengths.extend([
                (12, (4 * n - 1) * 64),
                (13, levels * 128),
                (14, levels * 64),
                (15, levels * 64),
            ]);
        }
        for (section, length) in lengths {
            opened.file.read_exactly(section, length)?;
        }
        Ok(opened)
    }

    /// Reads section 7 strictly. Hashes and proofs of knowledge in it are not checked here.
    pub fn contributions(&self) -> Result<Vec<Contribution>> {
        let mut reader = self.file.read(CONTRIBUTIONS)?;
        let count = reader.u32()?;
        let mut contributions = Vec::new();
        for _ in 0..count {
            contributions.push(read_contribution(&mut reader)?);
        }
        reader.end()?;
        Ok(contributions)
    }
}

fn read_contribution(reader: &mut SectionReader) -> Result<Contribution> {
    let tau_g1 = read_points::<g1::Config>(reader, 1)?[0];
    let tau_g2 = read_points::<g2::Config>(reader, 1)?[0];
    let [alpha_g1, beta_g1] = read_points::<g1::Config>(reader, 2)?[..] else { unreachable!() };
    let beta_g2 = read_points::<g2::Config>(reader, 1)?[0];
    read_points::<g1::Config>(reader, 6)?;
    read_points::<g2::Config>(reader, 3)?;
    reader.array::<216>()?;
    reader.array::<64>()?;
    let beacon = match reader.u32()? {
        0 => false,
        1 => true,
        other => return Err(reader.place().malformed("a contribution of type 0 or 1", other)),
    };
    let name = read_parameters(reader)?;
    Ok(Contribution { name, beacon, tau_g1, tau_g2, alpha_g1, beta_g1, beta_g2 })
}

/// Reads the tagged parameters and returns the name among them.
fn read_parameters(reader: &mut SectionReader) -> Result<String> {
    let length = u64::from(reader.u32()?);
    let place = reader.place().clone();
    if length > reader.left() {
        return Err(place.malformed(format!("at most {} bytes", reader.left()), length));
    }
    let end = reader.left() - length;
    let mut name = String::new();
    let mut last = 0;
    while reader.left() > end {
        let [tag] = reader.array()?;
        if tag <= last || tag > 3 {
            return Err(reader.place().malformed("tags 1 to 3 in rising order", tag));
        }
        last = tag;
        let [byte] = reader.array()?;
        if tag == 2 {
            continue;
        }
        let mut value = vec![0; usize::from(byte)];
        reader.bytes(&mut value)?;
        if tag == 1 {
            name = String::from_utf8_lossy(&value).chars().filter(|c| !c.is_control()).collect();
        }
    }
    if reader.left() != end {
        return Err(place.malformed(format!("parameters of {length} bytes"), "longer ones"));
    }
    Ok(name)
}

/// The scalars ρ^i as an endless sequence.
pub fn powers_of(ratio: Fr, first: Fr) -> impl Iterator<Item = Fr> {
    std::iter::successors(Some(first), move |power| Some(*power * ratio))
}
