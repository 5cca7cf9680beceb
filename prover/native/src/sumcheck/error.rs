//! Why a key, a witness or a proof was refused.

/// Every way in which reading, proving or verifying can fail. Nothing here panics on bad input.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum Error {
    /// The key's descriptor is not one that this protocol version can verify.
    #[error("malformed key: {0}")]
    Key(String),
    /// The prover was given values that do not fit the key.
    #[error("malformed witness: {0}")]
    Witness(String),
    /// A value that the tables do not hold, or an accumulator that its quotient does not explain.
    #[error("the witness does not satisfy the model: {0}")]
    Unsatisfied(String),
    /// The proof has the wrong number of bytes.
    #[error("proof length: expected {expected} bytes, found {found}")]
    Length {
        /// What the key's shape asks for.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// A scalar at or above the field's order.
    #[error("scalar not canonical at byte {0}")]
    Scalar(usize),
    /// Coordinates that are not canonical or not on the curve.
    #[error("point not on the curve at byte {0}")]
    Point(usize),
    /// The public inputs have the wrong size.
    #[error("public inputs: {0}")]
    PublicInput(String),
    /// The proof commits to another image than the statement's.
    #[error("image hash")]
    Image,
    /// The proof does not hold the inverse of what a verifier divides by.
    #[error("inverse")]
    Inverse,
    /// The columns' values at the last point do not explain the merged claim.
    #[error("merged claim")]
    MergedClaim,
    /// A card did not do its work; the CPU can.
    #[error(transparent)]
    Card(#[from] crate::gpu::error::CardError),
    /// The opening's pairing equation does not hold.
    #[error("opening")]
    Opening,
}
