//! What Node sees. The calls return when they are done; memory is JavaScript's own.

// The attribute macro of napi generates the foreign functions, which are unsafe by nature.
#![allow(unsafe_code, missing_docs)]

use super::geometry::LinearGeometry;
use super::{channels, matrix, rows};
use napi::bindgen_prelude::{Either, Float64ArraySlice};
use napi::{Error, Result};
use napi_derive::napi;

/// From so many output channels of a group on, they are taken side by side.
const MANY_CHANNELS: usize = 8;

fn has_many_channels(geometry: &LinearGeometry) -> bool {
    geometry.outputs() >= MANY_CHANNELS
}

/// Numbers that the weights of a convolution take when they are laid out.
#[napi]
pub fn linear_convolution_size(geometry: LinearGeometry) -> Result<u32> {
    check_geometry(&geometry)?;
    let size = if has_many_channels(&geometry) { channels::size } else { rows::size };
    u32::try_from(size(&geometry)).map_err(|_| Error::from_reason("too many weights"))
}

/// Lays the weights of a convolution out, in ONNX's order before; absolute values, if so.
#[napi]
pub fn linear_convolution_lay_out(
    geometry: LinearGeometry,
    weights: Either<&[f64], &[i32]>,
    absolute: bool,
    mut to: Float64ArraySlice,
) -> Result<()> {
    check_geometry(&geometry)?;
    let count = match &weights {
        Either::A(weights) => weights.len(),
        Either::B(weights) => weights.len(),
    };
    check_length(count, geometry.output_channels as usize * geometry.inputs() * geometry.taps())?;
    check_length(to.len(), linear_convolution_size(geometry.clone())? as usize)?;
    let weight = |i: usize| {
        let weight = match &weights {
            Either::A(weights) => weights[i],
            Either::B(weights) => f64::from(weights[i]),
        };
        if absolute { weight.abs() } else { weight }
    };
    // SAFETY: JavaScript waits, and the weights are another array.
    let to = unsafe { to.as_mut() };
    if has_many_channels(&geometry) {
        channels::lay_out(&geometry, weight, to);
    } else {
        rows::lay_out(&geometry, weight, to);
    }
    Ok(())
}

/// Adds a convolution whose weights are laid out.
#[napi]
pub fn linear_convolution_add(
    geometry: LinearGeometry,
    weights: &[f64],
    input: &[f64],
    mut accumulator: Float64ArraySlice,
) -> Result<()> {
    check_length(weights.len(), linear_convolution_size(geometry.clone())? as usize)?;
    check_length(input.len(), geometry.input_channels as usize * geometry.input_area())?;
    check_length(accumulator.len(), geometry.output_channels as usize * geometry.output_area())?;
    let add = if has_many_channels(&geometry) { channels::add } else { rows::add };
    // SAFETY: JavaScript waits, and the inputs are other arrays.
    add(&geometry, weights, input, unsafe { accumulator.as_mut() });
    Ok(())
}

/// Adds rows times the transpose of a matrix of outputs × inputs.
#[napi]
pub fn linear_matrix_add(
    row_count: u32,
    weights: &[f64],
    input: &[f64],
    mut accumulator: Float64ArraySlice,
) -> Result<()> {
    let rows = row_count as usize;
    if rows == 0 || !input.len().is_multiple_of(rows) || !accumulator.len().is_multiple_of(rows) {
        return Err(Error::from_reason("rows of different lengths"));
    }
    check_length(weights.len(), input.len() / rows * (accumulator.len() / rows))?;
    // SAFETY: JavaScript waits, and the inputs are other arrays.
    matrix::add(rows, weights, input, unsafe { accumulator.as_mut() });
    Ok(())
}

fn check_length(found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::from_reason(format!("expected {expected} numbers, found {found}")))
}

fn check_geometry(geometry: &LinearGeometry) -> Result<()> {
    let pairs = [geometry.kernel.len(), geometry.strides.len(), geometry.dilations.len()];
    let grouped = geometry.groups > 0
        && geometry.input_channels.is_multiple_of(geometry.groups)
        && geometry.output_channels.is_multiple_of(geometry.groups);
    let sized = || geometry.taps() > 0 && geometry.input_area() > 0 && geometry.output_area() > 0;
    if pairs == [2; 3] && geometry.pad_begin.len() == 2 && grouped && sized() {
        return Ok(());
    }
    Err(Error::from_reason("not the geometry of a convolution"))
}
