//! The proof's bytes (protocol.md §4.2): exact length, canonical scalars, points on the curve.

use super::descriptor::Descriptor;
use super::error::Error;
use super::field::{
    F, POINT_BYTES, SCALAR_BYTES, point_bytes, read_point, read_scalar, scalar_bytes,
};
use super::mercury::{self, Opening};
use ark_bn254::G1Affine;

/// One round: two coefficients of a polynomial of degree 2 (which two: protocol.md §6).
pub type Round = [F; 2];

/// A proof, decoded.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Proof {
    /// q, out, limbs, copies, m.
    pub first_commitments: Vec<G1Affine>,
    /// h, g.
    pub second_commitments: Vec<G1Affine>,
    pub affine_sum: F,
    pub first_rounds: Vec<Round>,
    pub contracted: Vec<F>,
    pub second_rounds: Vec<Round>,
    pub zero_rounds: Vec<Round>,
    pub inverses: Vec<F>,
    pub merge_rounds: Vec<Round>,
    pub columns: Vec<F>,
    pub opening: Opening,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], Error> {
        let part = self
            .bytes
            .get(self.at..self.at + count)
            .ok_or(Error::Length { expected: self.at + count, found: self.bytes.len() })?;
        self.at += count;
        Ok(part)
    }

    fn scalar(&mut self) -> Result<F, Error> {
        let at = self.at;
        read_scalar(self.take(SCALAR_BYTES)?).ok_or(Error::Scalar(at))
    }

    fn scalars(&mut self, count: usize) -> Result<Vec<F>, Error> {
        (0..count).map(|_| self.scalar()).collect()
    }

    fn rounds(&mut self, count: usize) -> Result<Vec<Round>, Error> {
        (0..count).map(|_| Ok([self.scalar()?, self.scalar()?])).collect()
    }

    fn points(&mut self, count: usize) -> Result<Vec<G1Affine>, Error> {
        (0..count)
            .map(|_| {
                let at = self.at;
                read_point(self.take(POINT_BYTES)?).ok_or(Error::Point(at))
            })
            .collect()
    }
}

/// Bytes of a proof under this key.
pub fn length(d: &Descriptor) -> usize {
    let (first, second) = d.proof_columns();
    let (phase_one, phase_two, terms) = d.affine_rounds();
    let rounds = phase_one + phase_two + 2 * d.column_bits;
    (first + second + mercury::POINTS) * POINT_BYTES
        + (1 + 2 * rounds + terms + second + d.all_columns() + mercury::SCALARS) * SCALAR_BYTES
}

impl Proof {
    /// Decodes strictly.
    pub fn read(d: &Descriptor, bytes: &[u8]) -> Result<Self, Error> {
        let expected = length(d);
        if bytes.len() != expected {
            return Err(Error::Length { expected, found: bytes.len() });
        }
        let (first, second) = d.proof_columns();
        let (phase_one, phase_two, terms) = d.affine_rounds();
        let mut reader = Reader { bytes, at: 0 };
        let first_commitments = reader.points(first)?;
        let second_commitments = reader.points(second)?;
        let affine_sum = reader.scalar()?;
        let first_rounds = reader.rounds(phase_one)?;
        let contracted = reader.scalars(terms)?;
        let second_rounds = reader.rounds(phase_two)?;
        let zero_rounds = reader.rounds(d.column_bits)?;
        let inverses = reader.scalars(second)?;
        let merge_rounds = reader.rounds(d.column_bits)?;
        let columns = reader.scalars(d.all_columns())?;
        let points = reader.points(mercury::POINTS)?;
        let scalars = reader.scalars(mercury::SCALARS)?;
        Ok(Self {
            first_commitments,
            second_commitments,
            affine_sum,
            first_rounds,
            contracted,
            second_rounds,
            zero_rounds,
            inverses,
            merge_rounds,
            columns,
            opening: Opening {
                points: std::array::from_fn(|i| points[i]),
                scalars: std::array::from_fn(|i| scalars[i]),
            },
        })
    }

    /// Encodes.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(points_bytes(&self.first_commitments));
        out.extend(points_bytes(&self.second_commitments));
        out.extend(scalar_bytes(&self.affine_sum));
        out.extend(rounds_bytes(&self.first_rounds));
        out.extend(scalars_bytes(&self.contracted));
        out.extend(rounds_bytes(&self.second_rounds));
        out.extend(rounds_bytes(&self.zero_rounds));
        out.extend(scalars_bytes(&self.inverses));
        out.extend(rounds_bytes(&self.merge_rounds));
        out.extend(scalars_bytes(&self.columns));
        out.extend(points_bytes(&self.opening.points));
        out.extend(scalars_bytes(&self.opening.scalars));
        out
    }
}

/// Concatenated scalars.
pub fn scalars_bytes(scalars: &[F]) -> Vec<u8> {
    scalars.iter().flat_map(scalar_bytes).collect()
}

/// Concatenated points.
pub fn points_bytes(points: &[G1Affine]) -> Vec<u8> {
    points.iter().flat_map(point_bytes).collect()
}

fn rounds_bytes(rounds: &[Round]) -> Vec<u8> {
    rounds.iter().flat_map(|round| scalars_bytes(round)).collect()
}
