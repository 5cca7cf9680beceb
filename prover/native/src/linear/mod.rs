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

#[cfg(test)]
mod tests {
    use super::geometry::LinearGeometry;
    use super::{channels, matrix, rows};

    fn geometry(transposed: bool, output_channels: u32, groups: u32) -> LinearGeometry {
        LinearGeometry {
            transposed,
            input_channels: 2 * groups,
            input_height: 4,
            input_width: 3,
            output_channels,
            output_height: 5,
            output_width: 7,
            kernel: vec![3, 2],
            strides: vec![2, 1],
            dilations: vec![1, 2],
            pad_begin: vec![1, -1],
            groups,
        }
    }

    fn integers(count: usize, factor: usize) -> Vec<f64> {
        (0..count).map(|i| (i * factor % 17) as f64 - 8.0).collect()
    }

    /// Whether an output position reads an input position with a tap, in the words of `geometry`.
    fn reads(g: &LinearGeometry, axis: usize, output: u32, input: u32, tap: u32) -> bool {
        let (driving, driven) = if g.transposed { (input, output) } else { (output, input) };
        i64::from(driven) + i64::from(g.pad_begin[axis])
            == i64::from(driving * g.strides[axis] + tap * g.dilations[axis])
    }

    fn naive(g: &LinearGeometry, weights: &[f64], input: &[f64], sums: &mut [f64]) {
        let outputs = (0..g.output_channels).flat_map(|o| {
            (0..g.output_height).flat_map(move |y| (0..g.output_width).map(move |x| (o, y, x)))
        });
        for ((o, y, x), sum) in outputs.zip(sums) {
            for (at, value) in input.iter().enumerate() {
                let (channel, position) =
                    (at / g.input_area(), at as u32 % (g.input_height * g.input_width));
                let (iy, ix) = (position / g.input_width, position % g.input_width);
                if channel / g.inputs() != o as usize / g.outputs() {
                    continue;
                }
                for tap in 0..g.taps() {
                    let (ky, kx) = (tap as u32 / g.kernel[1], tap as u32 % g.kernel[1]);
                    if reads(g, 0, y, iy, ky) && reads(g, 1, x, ix, kx) {
                        *sum +=
                            value * weights[g.weight_index(o as usize, channel % g.inputs(), tap)];
                    }
                }
            }
        }
    }

    #[test]
    fn convolutions_are_their_definition() {
        for (transposed, output_channels, groups) in
            [(false, 20, 2), (true, 20, 2), (false, 6, 3), (true, 6, 3), (true, 9, 1)]
        {
            let g = geometry(transposed, output_channels, groups);
            let weights = integers(output_channels as usize * g.inputs() * g.taps(), 7);
            let input = integers(g.input_channels as usize * g.input_area(), 5);
            let start = integers(output_channels as usize * g.output_area(), 3);
            let mut expected = start.clone();
            naive(&g, &weights, &input, &mut expected);
            let mut laid_out = vec![0.0; channels::size(&g)];
            channels::lay_out(&g, |i| weights[i], &mut laid_out);
            let mut sums = start.clone();
            channels::add(&g, &laid_out, &input, &mut sums);
            assert_eq!(sums, expected);
            let mut laid_out = vec![0.0; rows::size(&g)];
            rows::lay_out(&g, |i| weights[i], &mut laid_out);
            let mut sums = start;
            rows::add(&g, &laid_out, &input, &mut sums);
            assert_eq!(sums, expected);
        }
    }

    #[test]
    fn matrices_are_their_definition() {
        for (rows, outputs, inputs) in [(1, 1, 1), (3, 6, 7), (2, 4, 12)] {
            let (weights, input) = (integers(outputs * inputs, 7), integers(rows * inputs, 5));
            let mut sums = vec![1.0; rows * outputs];
            matrix::add(rows, &weights, &input, &mut sums);
            for (at, sum) in sums.iter().enumerate() {
                let x = &input[at / outputs * inputs..][..inputs];
                let w = &weights[at % outputs * inputs..][..inputs];
                assert_eq!(*sum, 1.0 + x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>());
            }
        }
    }
}
