//! The compiled kernels: PTX, the text that a driver translates for its card.
//!
//! `gpu/build_ptx.py` writes it. Its first line names the sources that it was made of, and tests compare.

use std::collections::HashMap;

/// The program.
pub const TEXT: &str = include_str!("../../gpu/kernels.ptx");

/// The sizes in bytes of every kernel's parameters.
pub fn parameters() -> HashMap<&'static str, Vec<usize>> {
    let mut kernels = HashMap::new();
    for text in TEXT.split(".visible .entry ").skip(1) {
        if let Some((name, rest)) = text.split_once('(') {
            let list = rest.split_once(')').map_or("", |(list, _)| list);
            kernels.insert(name, list.split(',').filter_map(parameter_bytes).collect());
        }
    }
    kernels
}

/// Of `.param .u32 name` or `.param .align 16 .b8 name[32]`.
fn parameter_bytes(text: &str) -> Option<usize> {
    if text.contains(".u32") {
        return Some(4);
    }
    if text.contains(".u64") {
        return Some(8);
    }
    let (_, rest) = text.split_once('[')?;
    rest.split_once(']')?.0.parse().ok()
}
