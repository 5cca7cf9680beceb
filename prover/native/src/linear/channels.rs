//! Convolutions of many output channels: eight channels and four positions of a row at a time, whose sums
//! stay in registers while all taps and input channels go by.

use super::geometry::{LinearGeometry, Read};
use rayon::prelude::*;

/// Output channels side by side.
const CHANNELS: usize = 8;
/// Positions of a row side by side.
const POSITIONS: usize = 4;

/// Numbers that `lay_out` writes.
pub fn size(geometry: &LinearGeometry) -> usize {
    blocks(geometry) * geometry.taps() * geometry.inputs() * CHANNELS
}

/// Writes weights in the order in which they are read: block of output channels × tap × input channel of the
/// group × output channel of the block, zeros beyond the last channel of a group.
pub fn lay_out(geometry: &LinearGeometry, weight: impl Fn(usize) -> f64 + Sync, to: &mut [f64]) {
    let (inputs, outputs) = (geometry.inputs(), geometry.outputs());
    let per_group = outputs.div_ceil(CHANNELS);
    let rows = geometry.taps() * inputs;
    to.par_chunks_mut(rows * CHANNELS).enumerate().for_each(|(block, to)| {
        let (group, first) = (block / per_group, block % per_group * CHANNELS);
        for input in 0..inputs {
            for (lane, output) in (first..outputs.min(first + CHANNELS)).enumerate() {
                for tap in 0..geometry.taps() {
                    let from = geometry.weight_index(group * outputs + output, input, tap);
                    to[(tap * inputs + input) * CHANNELS + lane] = weight(from);
                }
            }
        }
    });
}

/// Adds the convolution of `input` to `accumulator`, both channel × row × column.
pub fn add(geometry: &LinearGeometry, weights: &[f64], input: &[f64], accumulator: &mut [f64]) {
    let per_group = geometry.outputs().div_ceil(CHANNELS);
    let (height, width) = (geometry.output_height as usize, geometry.output_width as usize);
    let (down, across) = (geometry.reads(0), Pattern::all(&geometry.reads(1)));
    let input = channels_last(geometry, input);
    let weights_of_block = geometry.taps() * geometry.inputs() * CHANNELS;
    let mut sums = vec![0.0; blocks(geometry) * height * width * CHANNELS];
    // Rows of a block follow each other, so that its weights stay in cache.
    sums.par_chunks_mut(width * CHANNELS).enumerate().for_each(|(i, sums)| {
        let (block, y) = (i / height, i % height);
        let row = Row {
            input: &input,
            input_channels: geometry.input_channels as usize,
            input_width: geometry.input_width as usize,
            first_channel: block / per_group * geometry.inputs(),
            inputs: geometry.inputs(),
            kernel_width: geometry.kernel[1] as usize,
            weights: &weights[block * weights_of_block..][..weights_of_block],
            down: &down[y],
            across: &across,
        };
        row.sum(sums.as_chunks_mut().0);
    });
    let area = height * width;
    accumulator.par_chunks_mut(area).enumerate().for_each(|(channel, plane)| {
        let (group, own) = (channel / geometry.outputs(), channel % geometry.outputs());
        let block = group * per_group + own / CHANNELS;
        let sums = &sums[block * area * CHANNELS..][..area * CHANNELS];
        for (to, sum) in plane.iter_mut().zip(sums.as_chunks::<CHANNELS>().0) {
            *to += sum[own % CHANNELS];
        }
    });
}

fn blocks(geometry: &LinearGeometry) -> usize {
    geometry.groups as usize * geometry.outputs().div_ceil(CHANNELS)
}

/// Position × channel.
fn channels_last(geometry: &LinearGeometry, input: &[f64]) -> Vec<f64> {
    let (channels, area) = (geometry.input_channels as usize, geometry.input_area());
    let mut moved = vec![0.0; channels * area];
    moved.par_chunks_mut(channels).enumerate().for_each(|(at, to)| {
        for (to, plane) in to.iter_mut().zip(input.chunks(area)) {
            *to = plane[at];
        }
    });
    moved
}

/// Positions of a row that are reached by the same taps.
struct Pattern {
    taps: Vec<usize>,
    outputs: Vec<usize>,
    /// By output, then by tap.
    inputs: Vec<Vec<usize>>,
}

impl Pattern {
    fn all(reads: &[Vec<Read>]) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for (output, reads) in reads.iter().enumerate() {
            let taps: Vec<usize> = reads.iter().map(|read| read.tap).collect();
            let inputs = reads.iter().map(|read| read.input).collect();
            match found.iter_mut().find(|pattern| pattern.taps == taps) {
                Some(pattern) => {
                    pattern.outputs.push(output);
                    pattern.inputs.push(inputs);
                }
                None => found.push(Self { taps, outputs: vec![output], inputs: vec![inputs] }),
            }
        }
        found
    }
}

/// A row of output positions of one block of channels.
struct Row<'a> {
    /// Position × channel.
    input: &'a [f64],
    input_channels: usize,
    input_width: usize,
    /// Of the group.
    first_channel: usize,
    inputs: usize,
    kernel_width: usize,
    /// Tap × input channel × output channel.
    weights: &'a [f64],
    down: &'a [Read],
    across: &'a [Pattern],
}

impl Row<'_> {
    /// The sums of every position.
    fn sum(&self, sums: &mut [[f64; CHANNELS]]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the feature was asked for.
            #[allow(unsafe_code)]
            return unsafe { self.sum_with_avx2(sums) };
        }
        self.sum_portably(sums);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn sum_with_avx2(&self, sums: &mut [[f64; CHANNELS]]) {
        self.sum_portably(sums);
    }

    /// Inlined, so that it is compiled for the features of its caller.
    #[inline(always)]
    fn sum_portably(&self, sums: &mut [[f64; CHANNELS]]) {
        for pattern in self.across {
            let (tiles, _) = pattern.outputs.as_chunks::<POSITIONS>();
            for (i, outputs) in tiles.iter().enumerate() {
                let own = self.tile::<POSITIONS>(pattern, i * POSITIONS);
                for (&output, sum) in outputs.iter().zip(own) {
                    sums[output] = sum;
                }
            }
            for i in POSITIONS * tiles.len()..pattern.outputs.len() {
                sums[pattern.outputs[i]] = self.tile::<1>(pattern, i)[0];
            }
        }
    }

    /// The sums of the positions of a pattern from `first` on.
    #[inline(always)]
    fn tile<const P: usize>(&self, pattern: &Pattern, first: usize) -> [[f64; CHANNELS]; P] {
        let count = self.inputs;
        let mut sums = [[0.0; CHANNELS]; P];
        for read in self.down {
            for (j, tap) in pattern.taps.iter().enumerate() {
                let tap = read.tap * self.kernel_width + tap;
                let weights = &self.weights[tap * count * CHANNELS..][..count * CHANNELS];
                let weights = &weights.as_chunks::<CHANNELS>().0[..count];
                let inputs: [&[f64]; P] = std::array::from_fn(|p| {
                    let at = read.input * self.input_width + pattern.inputs[first + p][j];
                    &self.input[at * self.input_channels + self.first_channel..][..count]
                });
                for (channel, weights) in weights.iter().enumerate() {
                    for (sums, input) in sums.iter_mut().zip(inputs) {
                        let x = input[channel];
                        for (sum, weight) in sums.iter_mut().zip(weights) {
                            *sum += x * weight;
                        }
                    }
                }
            }
        }
        sums
    }
}
