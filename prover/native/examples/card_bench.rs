//! Kernels of a card against what it can do at best and against the CPU, transfers apart:
//!
//!     cargo run --release --example card_bench [card number, 0] [greatest power of two, 24] [least, 16]
//!
//! The simulated card (`gpu/simulation/library.cpp`) runs it too, at 2^8 to try the program: it then says that
//! its times are of no card.
//!
//! First the two floors, measured: field multiplications and bytes a second. Then one line a step: its time,
//! how much of the greater floor that is, which floor it is, and the CPU's time up to 2^20.

use ark_ff::Field;
use platemark_native::gpu::card::{Buffer, Card, Scalar};
use platemark_native::gpu::checks::{PROBE, Peaks, SIMULATED_PROBE, peaks};
use platemark_native::gpu::driver::Driver;
use platemark_native::gpu::error::CardError;
use platemark_native::gpu::self_test::{LONG, SHORT, self_test};
use platemark_native::gpu::{affine, columns, merge, msm, polynomials, rounds};
use platemark_native::sumcheck::field::F;
use platemark_native::sumcheck::kzg::{Srs, divide_by_root};
use platemark_native::sumcheck::multilinear::{eq_vector, invert_all};
use platemark_native::sumcheck::transcript::Transcript;
use platemark_native::sumcheck::{msm as cpu_msm, rounds as cpu_rounds};
use std::process::ExitCode;
use std::time::Instant;

/// Greatest power of two at which the CPU is measured too.
const CPU_BITS: usize = 20;

/// Least power of two: one step takes rows of 2^8.
const LEAST_BITS: usize = 8;

/// The least seconds of three runs after one that warms up.
fn seconds<T>(mut run: impl FnMut() -> Result<T, CardError>) -> Result<f64, CardError> {
    run()?;
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let began = Instant::now();
        run()?;
        least = least.min(began.elapsed().as_secs_f64());
    }
    Ok(least)
}

/// A card, what it can do, and the size at hand.
struct Bench<'a> {
    card: &'a Card,
    peaks: Peaks,
    bits: usize,
}

impl Bench<'_> {
    /// A step that must do so many multiplications and move so many bytes for each element.
    fn line(
        &self,
        name: &str,
        multiplications: f64,
        bytes: f64,
        mut run: impl FnMut() -> Result<(), CardError>,
        cpu: impl FnMut() -> Result<(), CardError>,
    ) -> Result<(), CardError> {
        let count = (1usize << self.bits) as f64;
        let arithmetic = multiplications * count / self.peaks.multiplications;
        let memory = bytes * count / self.peaks.bytes;
        let (floor, which) =
            if arithmetic > memory { (arithmetic, "arithmetic") } else { (memory, "memory") };
        let card = seconds(|| {
            run()?;
            self.card.synchronize()
        })?;
        let against = if self.bits > CPU_BITS {
            String::new()
        } else {
            let cpu = seconds(cpu)?;
            format!("{:10.1} ms on the CPU, {:.1}×", cpu * 1e3, cpu / card)
        };
        println!(
            "2^{:<3} {name:28} {:10.3} ms, {:3.0} % of the {which} floor {:9.3} ms {against}",
            self.bits,
            card * 1e3,
            100.0 * floor / card,
            floor * 1e3
        );
        Ok(())
    }

    fn copy(&self, values: &Buffer<Scalar>) -> Result<Buffer<Scalar>, CardError> {
        let copy = self.card.allocate(values.len())?;
        copy.view().copy_from(values.view())?;
        Ok(copy)
    }

    fn run(&self, srs: &Srs, scalars: &[F], integers: &[i64]) -> Result<(), CardError> {
        let (card, count) = (self.card, 1usize << self.bits);
        let began = Instant::now();
        let points = card.upload_powers(&srs.powers[..count])?;
        let values = card.upload_scalars(scalars)?;
        let cells = card.upload(integers)?;
        card.synchronize()?;
        let (time, bytes) = (began.elapsed().as_secs_f64(), (count * (64 + 32 + 8)) as f64);
        println!(
            "2^{:<3} to the card: {:.1} ms, {:.1} GB/s",
            self.bits,
            time * 1e3,
            bytes / time / 1e9
        );
        let powers = &srs.powers[..count];

        let each = |bits: usize| msm::multiplications(count, bits) as f64 / count as f64;
        self.line(
            "msm",
            each(254),
            96.0,
            || msm::msm(card, points.view(), values.view()).map(drop),
            || {
                let _ = cpu_msm::msm(powers, scalars);
                Ok(())
            },
        )?;
        self.line(
            "msm of 16-bit integers",
            each(16),
            72.0,
            || msm::msm_integers(card, points.view(), cells.view(), 16).map(drop),
            || {
                let _ = cpu_msm::msm_small(powers, integers);
                Ok(())
            },
        )?;
        let rows: Vec<u32> = (0..count).map(|i| (i * 7919 % (count / 16)) as u32).collect();
        let rows = card.upload(&rows)?;
        let add_up = || {
            let digits = card.allocate(count)?;
            columns::row_digits(card, rows.view(), digits.view())?;
            let sums = msm::bucket_sums(card, points.view(), digits, count / 16)?;
            msm::normalize(card, sums.view()).map(drop)
        };
        // Sixteen points a bucket, normalized.
        self.line("sums of points by row", 10.0 + 8.0 / 16.0, 72.0, add_up, || Ok(()))?;
        self.line(
            "inverses",
            9.0,
            64.0,
            || columns::invert(card, values.view(), None).map(drop),
            || {
                invert_all(&mut scalars.to_vec());
                Ok(())
            },
        )?;
        let take = || columns::gather(card, values.view(), rows.view(), scalars[3]).map(drop);
        self.line("gather", 1.0, 36.0 + 2.0, take, || Ok(()))?;
        let widen = || columns::from_integers(card, cells.view(), scalars[3]).map(drop);
        self.line("integers to scalars", 1.0, 40.0, widen, || Ok(()))?;
        let weigh = || affine::combine(card, values.view(), &scalars[..256]).map(drop);
        self.line("sum of 256 rows", 1.0, 32.0, weigh, || Ok(()))?;
        let into = card.zeros::<Scalar>(count)?;
        let point = &scalars[..self.bits];
        let add_eq = || merge::add_eq(card, into.view(), point, scalars[3]);
        self.line("eq added to weights", 1.0, 64.0, add_eq, || {
            let _ = eq_vector(point);
            Ok(())
        })?;
        self.line(
            "division by X − x",
            2.0,
            64.0,
            || polynomials::divide(card, values.view(), 1, scalars[3]).map(drop),
            || {
                let _ = divide_by_root(scalars, scalars[3]);
                Ok(())
            },
        )?;
        let one = F::from(1u64);
        // Every round reads two factors and writes half of them, and the copies are made first.
        self.line(
            "all rounds of one product",
            4.0,
            256.0 + 128.0,
            || {
                let (a, b) = (self.copy(&values)?, self.copy(&values)?);
                let mut products = [rounds::Product::new(a, b, self.bits)?];
                let transcript = &mut Transcript::default();
                rounds::prove_plain(card, &mut products, one, self.bits, transcript).map(drop)
            },
            || {
                let mut products = [cpu_rounds::Product::new(scalars.to_vec(), scalars.to_vec())];
                cpu_rounds::prove_plain(&mut products, one, self.bits, &mut Transcript::default());
                Ok(())
            },
        )?;
        self.line(
            "all rounds of a lookup",
            // Round, two bindings, eq: 4 + 2 + … for each pair.
            6.0,
            320.0 + 128.0,
            || {
                let products = vec![(self.copy(&values)?, self.copy(&values)?)];
                let part = rounds::Constant { products, linear: None, value: one, bits: self.bits };
                let transcript = &mut Transcript::default();
                rounds::prove_eq(card, &[part], one, point, transcript).map(drop)
            },
            || {
                let products = vec![(scalars.to_vec(), scalars.to_vec())];
                let linear = Vec::new();
                let part = cpu_rounds::Constant { products, linear, value: one, bits: self.bits };
                cpu_rounds::prove_eq(&mut [part], one, point, &mut Transcript::default());
                Ok(())
            },
        )
    }
}

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), CardError> {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let driver = Driver::load()?;
    let card = Card::open(&driver, numbers.first().copied().unwrap_or(0))?;
    println!("{:?}, driver for CUDA {}", card.info(), driver.cuda_version()?);
    let simulated = card.info().name.contains("simulated");
    if simulated {
        println!(
            "simulated: every time and floor below is this processor's, and says nothing of a card"
        );
    }
    let (bits, probe) = if simulated { (SHORT, SIMULATED_PROBE) } else { (LONG, PROBE) };
    for (name, seconds) in self_test(&card, bits)? {
        println!("self-test: {name} {:.1} ms", seconds * 1e3);
    }
    let peaks = peaks(&card, probe)?;
    println!(
        "{:.3} billion field multiplications and {:.1} GB a second",
        peaks.multiplications / 1e9,
        peaks.bytes / 1e9
    );
    let most = numbers.get(1).map_or(24, |bits| *bits as usize).max(LEAST_BITS);
    let least = numbers.get(2).map_or(16, |bits| *bits as usize).clamp(LEAST_BITS, most);
    let scalars: Vec<F> = std::iter::successors(Some(-F::from(2u64)), |x| Some(x.square() - x))
        .take(1 << most)
        .collect();
    let integers: Vec<i64> =
        (0..1i64 << most).map(|i| (i % 65_521 * 31) % 65_521 - 32_000).collect();
    let srs = Srs::insecure(scalars[7], most);
    for bits in least..=most {
        let count = 1usize << bits;
        Bench { card: &card, peaks, bits }.run(&srs, &scalars[..count], &integers[..count])?;
    }
    Ok(())
}
