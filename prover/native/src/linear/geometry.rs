//! Which inputs an output of a convolution reads. With k over the taps of an axis,
//!
//! ```text
//! convolution              out[y] reads in[y·stride + k·dilation − pad]
//! transposed convolution   out[i·stride + k·dilation − pad] reads in[i]
//! ```

use napi_derive::napi;

/// A two-dimensional convolution, as `ConvGeometry` of `model-export/float-model.ts`.
#[napi(object)]
#[derive(Clone, Debug)]
pub struct LinearGeometry {
    /// Whether it is a transposed convolution.
    pub transposed: bool,
    /// Channels of the input, of all groups.
    pub input_channels: u32,
    /// Rows of the input.
    pub input_height: u32,
    /// Columns of the input.
    pub input_width: u32,
    /// Channels of the output, of all groups.
    pub output_channels: u32,
    /// Rows of the output.
    pub output_height: u32,
    /// Columns of the output.
    pub output_width: u32,
    /// Rows and columns of the kernel.
    pub kernel: Vec<u32>,
    /// Down and across.
    pub strides: Vec<u32>,
    /// Down and across.
    pub dilations: Vec<u32>,
    /// Above and to the left; negative where rows or columns are left out.
    pub pad_begin: Vec<i32>,
    /// Channels are connected within their group.
    pub groups: u32,
}

/// One output position's tap, and the input position that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Index along the kernel's axis.
    pub tap: usize,
    /// Index along the input's axis.
    pub input: usize,
}

impl LinearGeometry {
    /// Input channels of a group.
    pub fn inputs(&self) -> usize {
        (self.input_channels / self.groups.max(1)) as usize
    }

    /// Output channels of a group.
    pub fn outputs(&self) -> usize {
        (self.output_channels / self.groups.max(1)) as usize
    }

    /// Taps of the kernel.
    pub fn taps(&self) -> usize {
        self.kernel[0] as usize * self.kernel[1] as usize
    }

    /// Positions of an input channel.
    pub fn input_area(&self) -> usize {
        self.input_height as usize * self.input_width as usize
    }

    /// Positions of an output channel.
    pub fn output_area(&self) -> usize {
        self.output_height as usize * self.output_width as usize
    }

    /// By output position along an axis (0 is down): what it reads, taps ascending.
    pub fn reads(&self, axis: usize) -> Vec<Vec<Read>> {
        let (inputs, outputs) = match axis {
            0 => (self.input_height, self.output_height),
            _ => (self.input_width, self.output_width),
        };
        let (driving, driven) = if self.transposed { (inputs, outputs) } else { (outputs, inputs) };
        let mut reads = vec![Vec::new(); outputs as usize];
        for tap in 0..self.kernel[axis] {
            let dilated = i64::from(tap) * i64::from(self.dilations[axis]);
            let offset = dilated - i64::from(self.pad_begin[axis]);
            for t in 0..driving {
                let place = i64::from(t) * i64::from(self.strides[axis]) + offset;
                if (0..i64::from(driven)).contains(&place) {
                    let (input, output) = if self.transposed {
                        (t as usize, place)
                    } else {
                        (place as usize, i64::from(t))
                    };
                    reads[output as usize].push(Read { tap: tap as usize, input });
                }
            }
        }
        reads
    }

    /// Where the weight of an output channel, an input channel of its group and a tap stands in ONNX's order.
    pub fn weight_index(&self, output: usize, input: usize, tap: usize) -> usize {
        let (inputs, outputs) = (self.inputs(), self.outputs());
        let pair = if self.transposed {
            (output / outputs * inputs + input) * outputs + output % outputs
        } else {
            output * inputs + input
        };
        pair * self.taps() + tap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model from elsewhere may say so: the far tap is at 2^32, not at 0.
    #[test]
    fn far_taps_read_nothing() {
        for transposed in [false, true] {
            let geometry = LinearGeometry {
                transposed,
                input_channels: 1,
                input_height: 1,
                input_width: 2,
                output_channels: 1,
                output_height: 1,
                output_width: 2,
                kernel: vec![1, 65_537],
                strides: vec![1, 1],
                dilations: vec![1, 65_536],
                pad_begin: vec![0, 0],
                groups: 1,
            };
            let read = |input| vec![Read { tap: 0, input }];
            assert_eq!(geometry.reads(1), [read(0), read(1)]);
        }
    }
}
