//! Convolutions of few output channels: a row of one channel at a time, with one weight after the other.

use super::geometry::LinearGeometry;
use rayon::prelude::*;

/// Numbers that `lay_out` writes.
pub fn size(geometry: &LinearGeometry) -> usize {
    geometry.output_channels as usize * geometry.taps() * geometry.inputs()
}

/// Writes weights in the order in which they are read: output channel × tap × input channel of the group.
pub fn lay_out(geometry: &LinearGeometry, weight: impl Fn(usize) -> f64 + Sync, to: &mut [f64]) {
    let inputs = geometry.inputs();
    to.par_chunks_mut(geometry.taps() * inputs).enumerate().for_each(|(output, to)| {
        for (i, to) in to.iter_mut().enumerate() {
            *to = weight(geometry.weight_index(output, i % inputs, i / inputs));
        }
    });
}

/// Adds the convolution of `input` to `accumulator`, both channel × row × column.
pub fn add(geometry: &LinearGeometry, weights: &[f64], input: &[f64], accumulator: &mut [f64]) {
    let (inputs, outputs) = (geometry.inputs(), geometry.outputs());
    let (area, width) = (geometry.output_area(), geometry.output_width as usize);
    let (input_area, input_width) = (geometry.input_area(), geometry.input_width as usize);
    let kernel_width = geometry.kernel[1] as usize;
    let weights_of_channel = geometry.taps() * inputs;
    let (down, across) = (geometry.reads(0), spans(geometry));
    // By row, then by channel: the channels of a group share what they read.
    let channels = geometry.output_channels as usize;
    let mut sums = vec![0.0; accumulator.len()];
    sums.par_chunks_mut(width * outputs).enumerate().for_each(|(i, sums)| {
        let (y, group) = (i / geometry.groups as usize, i % geometry.groups as usize);
        let first = group * outputs;
        for (output, row) in sums.chunks_mut(width).enumerate() {
            row.copy_from_slice(&accumulator[(first + output) * area + y * width..][..width]);
        }
        let planes = &input[group * inputs * input_area..][..inputs * input_area];
        let weights = &weights[first * weights_of_channel..][..outputs * weights_of_channel];
        for read in &down[y] {
            for (kx, span) in across.iter().enumerate() {
                let tap = read.tap * kernel_width + kx;
                for (channel, plane) in planes.chunks(input_area).enumerate() {
                    let line = &plane[read.input * input_width..][..input_width];
                    for (output, row) in sums.chunks_mut(width).enumerate() {
                        let weight = weights[output * weights_of_channel + tap * inputs + channel];
                        if weight != 0.0 {
                            span.add(weight, line, row);
                        }
                    }
                }
            }
        }
    });
    accumulator.par_chunks_mut(width).enumerate().for_each(|(i, row)| {
        let (output, y) = (i / down.len(), i % down.len());
        row.copy_from_slice(&sums[(y * channels + output) * width..][..width]);
    });
}

/// The positions of a row that one tap reaches.
struct Span {
    count: usize,
    input: usize,
    input_step: usize,
    output: usize,
    output_step: usize,
}

fn spans(geometry: &LinearGeometry) -> Vec<Span> {
    let reads = geometry.reads(1);
    let stride = geometry.strides[1] as usize;
    let (input_step, output_step) = if geometry.transposed { (1, stride) } else { (stride, 1) };
    (0..geometry.kernel[1] as usize)
        .map(|tap| {
            let own = |output: usize| reads[output].iter().find(|read| read.tap == tap);
            let mut reached =
                (0..reads.len()).filter_map(|output| Some((output, own(output)?.input)));
            let (output, input) = reached.next().unwrap_or((0, 0));
            let count = (0..reads.len()).filter(|output| own(*output).is_some()).count();
            Span { count, input, input_step, output, output_step }
        })
        .collect()
}

impl Span {
    fn add(&self, weight: f64, line: &[f64], row: &mut [f64]) {
        if self.input_step == 1 && self.output_step == 1 {
            let row = &mut row[self.output..][..self.count];
            return add_multiple(weight, &line[self.input..][..self.count], row);
        }
        for t in 0..self.count {
            row[self.output + t * self.output_step] +=
                weight * line[self.input + t * self.input_step];
        }
    }
}

/// `row += weight · line`.
fn add_multiple(weight: f64, line: &[f64], row: &mut [f64]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the feature was asked for.
        #[allow(unsafe_code)]
        return unsafe { add_multiple_with_avx2(weight, line, row) };
    }
    add_multiple_portably(weight, line, row);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_multiple_with_avx2(weight: f64, line: &[f64], row: &mut [f64]) {
    add_multiple_portably(weight, line, row);
}

/// Inlined, so that it is compiled for the features of its caller.
#[inline(always)]
fn add_multiple_portably(weight: f64, line: &[f64], row: &mut [f64]) {
    for (to, x) in row.iter_mut().zip(line) {
        *to += weight * x;
    }
}
