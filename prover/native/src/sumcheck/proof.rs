//! The proof's bytes (protocol.md §4.2): exact length, canonical scalars, points on the curve.

use super::descriptor::{Binding, Descriptor};
use super::error::Error;
use super::field::{
    F, POINT_BYTES, SCALAR_BYTES, point_bytes, read_point, read_scalar, scalar_bytes,
};
use super::mercury::{self, Opening};
use ark_bn254::G1Affine;

/// One round: two coefficients of a polynomial of degree 2 (which two: protocol.md §6).
pub type Round = [F; 2];

/// A proof, decoded.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Proof {
    /// The first group's columns.
    pub first_commitments: Vec<G1Affine>,
    /// C_I and y, where the image is bound by a commitment.
    pub image: Option<ImageClaim>,
    /// The second group's columns.
    pub second_commitments: Vec<G1Affine>,
    pub affine_sum: F,
    pub first_rounds: Vec<Round>,
    pub contracted: Vec<F>,
    pub second_rounds: Vec<Round>,
    pub lookup_rounds: Vec<Round>,
    /// h₀ … h_L, g at s.
    pub inverses: Vec<F>,
    pub merge_rounds: Vec<Round>,
    pub columns: Vec<F>,
    pub opening: Opening,
}

/// `C_I = Σ P_o·τ^o·G₁` and its polynomial's value at z.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct ImageClaim {
    pub commitment: G1Affine,
    pub value: F,
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

/// Numbers of things in a proof under this key.
struct Shape {
    /// 1 where the image is bound by a commitment.
    image: usize,
    first_rounds: usize,
    second_rounds: usize,
    terms: usize,
}

impl Shape {
    fn of(d: &Descriptor) -> Self {
        let (first_rounds, second_rounds, terms) = d.affine_rounds();
        let image = usize::from(d.image.binding == Binding::Commitment);
        Self { image, first_rounds, second_rounds, terms }
    }
}

/// Bytes of a proof under this key.
pub fn length(d: &Descriptor) -> usize {
    let shape = Shape::of(d);
    let rounds = shape.first_rounds + shape.second_rounds + d.lookup_bits() + d.column_bits;
    let points = d.columns.first + d.columns.second + mercury::POINTS + shape.image;
    let scalars = 1 + shape.image + shape.terms + 2 * rounds + d.limbs + 2 + d.all_columns();
    points * POINT_BYTES + (scalars + mercury::SCALARS) * SCALAR_BYTES
}

impl Proof {
    /// Decodes strictly.
    pub fn read(d: &Descriptor, bytes: &[u8]) -> Result<Self, Error> {
        let expected = length(d);
        if bytes.len() != expected {
            return Err(Error::Length { expected, found: bytes.len() });
        }
        let shape = Shape::of(d);
        let mut reader = Reader { bytes, at: 0 };
        let first_commitments = reader.points(d.columns.first)?;
        let image = reader.points(shape.image)?;
        let second_commitments = reader.points(d.columns.second)?;
        let affine_sum = reader.scalar()?;
        let image_value = reader.scalars(shape.image)?;
        let first_rounds = reader.rounds(shape.first_rounds)?;
        let contracted = reader.scalars(shape.terms)?;
        let second_rounds = reader.rounds(shape.second_rounds)?;
        let lookup_rounds = reader.rounds(d.lookup_bits())?;
        let inverses = reader.scalars(d.limbs + 2)?;
        let merge_rounds = reader.rounds(d.column_bits)?;
        let columns = reader.scalars(d.all_columns())?;
        let points = reader.points(mercury::POINTS)?;
        let scalars = reader.scalars(mercury::SCALARS)?;
        Ok(Self {
            first_commitments,
            image: image
                .first()
                .zip(image_value.first())
                .map(|(&commitment, &value)| ImageClaim { commitment, value }),
            second_commitments,
            affine_sum,
            first_rounds,
            contracted,
            second_rounds,
            lookup_rounds,
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
        let mut out = self.first_message();
        out.extend(points_bytes(&self.second_commitments));
        out.extend(self.sum_message());
        out.extend(rounds_bytes(&self.first_rounds));
        out.extend(scalars_bytes(&self.contracted));
        out.extend(rounds_bytes(&self.second_rounds));
        out.extend(rounds_bytes(&self.lookup_rounds));
        out.extend(scalars_bytes(&self.inverses));
        out.extend(rounds_bytes(&self.merge_rounds));
        out.extend(scalars_bytes(&self.columns));
        out.extend(points_bytes(&self.opening.points));
        out.extend(scalars_bytes(&self.opening.scalars));
        out
    }

    /// Part "first commitments".
    pub fn first_message(&self) -> Vec<u8> {
        let mut out = points_bytes(&self.first_commitments);
        out.extend(self.image.iter().flat_map(|image| point_bytes(&image.commitment)));
        out
    }

    /// Part "A, [y]".
    pub fn sum_message(&self) -> Vec<u8> {
        let mut out = scalar_bytes(&self.affine_sum).to_vec();
        out.extend(self.image.iter().flat_map(|image| scalar_bytes(&image.value)));
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
