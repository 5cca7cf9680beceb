//! Linear maps of models in double precision, on all cores: what compiling a large model spends its time on.
//! The definition is `model-export/linear-terms.ts`, which small models and machines without this crate use.
//!
//! Sums of doubles depend on their order, and a compiled model must not depend on who compiled it. So every
//! output is summed here in the order in which it is summed there, product by product, each rounded before
//! it is added: results are equal to the bit. Vector units and cores take different outputs, never parts of
//! one, but for the four sums that the definition has of a row.
//!
//! ```text
//! convolution, many channels   out += Σ_ky Σ_kx Σ_ci w·x           from zero       [channels]
//! convolution, few channels    out ← (… (out + w·x) + w·x …)       in that order   [rows]
//! matrix                       out += ((Σ₀ + Σ₁) + Σ₂) + Σ₃        i mod 4         [matrix]
//! ```
//!
//! (An infinite weight meets inputs of zero here, and gives NaN, where the definition passes them over.)

pub mod bindings;
pub mod channels;
pub mod geometry;
pub mod matrix;
pub mod rows;
