//! Products of rows with a matrix. A sum is four sums, of every fourth product each, as in the definition.

use rayon::prelude::*;

/// Sums of one output.
const SUMS: usize = 4;
/// Outputs side by side, so that additions do not wait for each other.
const OUTPUTS: usize = 4;

/// Adds `input` (rows × inputs) times the transpose of `weights` (outputs × inputs) to `accumulator`.
pub fn add(rows: usize, weights: &[f64], input: &[f64], accumulator: &mut [f64]) {
    let outputs = accumulator.len() / rows.max(1);
    let inputs = input.len() / rows.max(1);
    let parts = outputs.div_ceil(OUTPUTS);
    let columns: Vec<&[f64]> = weights.chunks(inputs.max(1)).collect();
    // Blocks of rows, so that weights are read once a block.
    let results: Vec<Vec<f64>> = (0..parts)
        .into_par_iter()
        .map(|part| {
            let columns = &columns[part * OUTPUTS..outputs.min((part + 1) * OUTPUTS)];
            input.chunks(inputs.max(1)).flat_map(|x| dots(x, columns)).collect()
        })
        .collect();
    for (part, results) in results.iter().enumerate() {
        let count = OUTPUTS.min(outputs - part * OUTPUTS);
        for (row, sums) in results.as_chunks::<OUTPUTS>().0.iter().enumerate() {
            let to = &mut accumulator[row * outputs + part * OUTPUTS..][..count];
            for (to, sum) in to.iter_mut().zip(sums) {
                *to += sum;
            }
        }
    }
}

/// Products of a row with up to four others; zeros where there are fewer.
fn dots(x: &[f64], columns: &[&[f64]]) -> [f64; OUTPUTS] {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the feature was asked for.
        #[allow(unsafe_code)]
        return unsafe { dots_with_avx2(x, columns) };
    }
    dots_portably(x, columns)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dots_with_avx2(x: &[f64], columns: &[&[f64]]) -> [f64; OUTPUTS] {
    dots_portably(x, columns)
}

/// Inlined, so that it is compiled for the features of its caller.
#[inline(always)]
fn dots_portably(x: &[f64], columns: &[&[f64]]) -> [f64; OUTPUTS] {
    let column = |i: usize| &columns[i.min(columns.len() - 1)][..x.len()];
    let columns: [&[f64]; OUTPUTS] = std::array::from_fn(column);
    let quads = columns.map(|column| &column.as_chunks::<SUMS>().0[..x.len() / SUMS]);
    let mut sums = [[0.0; SUMS]; OUTPUTS];
    for (i, x) in x.as_chunks::<SUMS>().0.iter().enumerate() {
        for (sums, quads) in sums.iter_mut().zip(quads) {
            for (sum, (x, weight)) in sums.iter_mut().zip(x.iter().zip(&quads[i])) {
                *sum += x * weight;
            }
        }
    }
    let rest = x.len() / SUMS * SUMS;
    std::array::from_fn(|output| {
        let [mut a, b, c, d] = sums[output];
        for (x, weight) in x[rest..].iter().zip(&columns[output][rest..]) {
            a += x * weight;
        }
        a + b + c + d
    })
}
