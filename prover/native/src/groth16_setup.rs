//! A Groth16 setup by one party, for development.
//!
//! For constraints ⟨a,z⟩·⟨b,z⟩ = ⟨c,z⟩, rows 0 … m−1, and l public wires, the quadratic arithmetic
//! program over n = 2^k ≥ m + l + 1 roots of unity is
//!
//! ```text
//! a_i(X) = Σ_row a[row,i]·L_row(X) + [i ≤ l]·L_{m+i}(X)     b_i, c_i likewise without the last term
//! ```
//!
//! The l + 1 extra rows (Groth16, eprint 2016/260, leaves them to the arithmetisation) make the a_i of
//! the public wires linearly independent of all others: without them a public input that no constraint
//! mentions would not be bound to the proof at all.
//!
//! This party draws τ, α, β, γ, δ and could therefore prove anything: the key is marked so in its
//! section 10. Unlike keys from a ceremony, where γ = 1, γ is drawn too.

use std::path::Path;

use ark_bn254::{Fr, G1Affine, G2Affine, g1, g2};
use ark_ec::AffineRepr;
use ark_ff::{Field, One, Zero};

use crate::Progress;
use crate::error::{NativeError, Result};
use crate::fixed_base::FixedBase;
use crate::lagrange::{TWO_ADICITY, lagrange_at};
use crate::points::{FileCurve, encode_points};
use crate::r1cs::{R1cs, Side, Term};
use crate::random::random_scalar;
use crate::sections::SectionWriter;
use crate::zkey::{CoefficientWriter, SECTIONS, begin_header};

/// What stands where a ceremony's key has the hash of its circuit, padded with zeros to 64 bytes.
pub const DEVELOPMENT_MARK: &[u8] = b"platemark development setup: insecure, anyone could forge";

/// Points that are computed and written at a time.
const BATCH: usize = 1 << 15;

/// What was set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupSummary {
    /// Constraints of the circuit.
    pub constraints: u32,
    /// Wires of the circuit.
    pub wires: u32,
    /// Public outputs and inputs.
    pub public: u32,
    /// Size of the evaluation domain.
    pub domain: u32,
}

/// The secrets of a setup.
struct ToxicWaste {
    tau: Fr,
    alpha: Fr,
    beta: Fr,
    gamma: Fr,
    delta: Fr,
}

impl ToxicWaste {
    /// Draws until nothing is trivial: no 0 or ±1, no two equal or opposite, τ not in the domain.
    fn draw(log_domain: u32) -> Result<Self> {
        loop {
            let mut values = [Fr::zero(); 5];
            for value in &mut values {
                *value = random_scalar()?;
            }
            let [tau, alpha, beta, gamma, delta] = values;
            let trivial = values.iter().enumerate().any(|(i, value)| {
                value.is_zero()
                    || value.square().is_one()
                    || values[..i].iter().any(|other| other.square() == value.square())
            });
            if !trivial && !tau.pow([2u64 << log_domain]).is_one() {
                return Ok(Self { tau, alpha, beta, gamma, delta });
            }
        }
    }
}

/// Reads the constraint system at `r1cs` and writes a proving key to `zkey`.
pub fn development_setup(r1cs: &Path, zkey: &Path, progress: Progress) -> Result<SetupSummary> {
    let system = R1cs::open(r1cs)?;
    let rows = u64::from(system.constraints) + u64::from(system.public) + 1;
    let log_domain = rows.next_power_of_two().ilog2().max(1);
    // The proving key needs the roots of unity of twice the domain.
    if log_domain >= TWO_ADICITY {
        return Err(NativeError::Unusable {
            message: "The circuit is too large for Groth16 over BN254.".into(),
            expected: format!("below 2^{} rows", TWO_ADICITY - 1),
            found: format!("{rows} rows"),
            fix: "Use the sumcheck backend.".into(),
        });
    }
    let waste = ToxicWaste::draw(log_domain)?;
    let mut out = SectionWriter::create(zkey, "zkey", SECTIONS)?;
    let summary = SetupSummary {
        constraints: system.constraints,
        wires: system.wires,
        public: system.public,
        domain: 1 << log_domain,
    };
    write_key(&system, &waste, log_domain, &mut out, progress)?;
    out.finish()?;
    Ok(summary)
}

fn write_key(
    system: &R1cs,
    waste: &ToxicWaste,
    log_domain: u32,
    out: &mut SectionWriter,
    progress: Progress,
) -> Result<()> {
    let domain = 1usize << log_domain;
    let wires = system.wires as usize;
    let total = (4 * wires + domain) as u64;
    progress("proving key", 0, total);
    let g1 = FixedBase::<g1::Config>::new(G1Affine::generator(), 3 * wires + domain);
    let g2 = FixedBase::<g2::Config>::new(G2Affine::generator(), wires);

    begin_header(out, system.wires, system.public, domain as u32)?;
    let header1 = g1.multiply(&[waste.alpha, waste.beta, waste.delta]);
    let header2 = g2.multiply(&[waste.beta, waste.gamma, waste.delta]);
    out.bytes(&encode_points(&header1[..2]))?;
    out.bytes(&encode_points(&header2[..2]))?;
    out.bytes(&encode_points(&header1[2..]))?;
    out.bytes(&encode_points(&header2[2..]))?;
    out.end()?;

    let program = evaluate_program(system, waste.tau, log_domain, out)?;
    let mut done = 0;
    let mut advance = |count: usize| {
        done += count as u64;
        progress("proving key", done, total);
    };
    let (inverse_gamma, inverse_delta) = (invert(waste.gamma), invert(waste.delta));
    let public = system.public as usize + 1;
    let mixed = |range: std::ops::Range<usize>, factor: Fr| {
        range
            .map(|i| {
                (waste.beta * program.a[i] + waste.alpha * program.b[i] + program.c[i]) * factor
            })
            .collect::<Vec<_>>()
    };
    write_multiples(out, 3, &g1, &mixed(0..public, inverse_gamma), &mut advance)?;
    write_multiples(out, 8, &g1, &mixed(public..wires, inverse_delta), &mut advance)?;
    write_multiples(out, 5, &g1, &program.a, &mut advance)?;
    write_multiples(out, 6, &g1, &program.b, &mut advance)?;
    write_multiples(out, 7, &g2, &program.b, &mut advance)?;
    let mut quotient = lagrange_at(waste.tau, log_domain + 1, 1, 2, domain);
    for value in &mut quotient {
        *value *= inverse_delta;
    }
    write_multiples(out, 9, &g1, &quotient, &mut advance)?;

    out.begin(10)?;
    let mut mark = [0; 64];
    mark[..DEVELOPMENT_MARK.len()].copy_from_slice(DEVELOPMENT_MARK);
    out.bytes(&mark)?;
    out.u32(0)?;
    out.end()
}

fn invert(value: Fr) -> Fr {
    value.inverse().expect("toxic waste is not zero")
}

/// a_i(τ), b_i(τ), c_i(τ) for every wire i.
struct Program {
    a: Vec<Fr>,
    b: Vec<Fr>,
    c: Vec<Fr>,
}

/// Evaluates the program at τ and writes section 4 on the way, in one pass over the constraints.
fn evaluate_program(
    system: &R1cs,
    tau: Fr,
    log_domain: u32,
    out: &mut SectionWriter,
) -> Result<Program> {
    let wires = system.wires as usize;
    let rows = system.constraints as usize + system.public as usize + 1;
    let lagrange = lagrange_at(tau, log_domain, 0, 1, rows);
    let zeros = || vec![Fr::zero(); wires];
    let mut program = Program { a: zeros(), b: zeros(), c: zeros() };
    let mut coefficients = CoefficientWriter::begin(out)?;
    let mut visit = |term: Term| {
        let values = match term.side {
            Side::A => &mut program.a,
            Side::B => &mut program.b,
            Side::C => &mut program.c,
        };
        values[term.wire as usize] += term.coefficient * lagrange[term.row as usize];
        coefficients.push(out, &term)
    };
    system.for_each_term(&mut visit)?;
    for wire in 0..=system.public {
        let row = system.constraints + wire;
        visit(Term { side: Side::A, row, wire, coefficient: Fr::one() })?;
    }
    coefficients.end(out)?;
    Ok(program)
}

/// Writes a section of multiples, a batch at a time.
pub(crate) fn write_multiples<P: FileCurve>(
    out: &mut SectionWriter,
    section: u32,
    base: &FixedBase<P>,
    scalars: &[Fr],
    advance: &mut impl FnMut(usize),
) -> Result<()> {
    out.begin(section)?;
    for batch in scalars.chunks(BATCH) {
        out.bytes(&encode_points(&base.multiply(batch)))?;
        advance(batch.len());
    }
    out.end()
}
