//! Kernels of a card against the CPU, transfers apart:
//!
//!     cargo run --release --example card_bench [card number] [greatest power of two, 20]
//!
//! Prints one line a step: elements, card, CPU, and what the card's arithmetic amounts to.

use ark_ff::Field;
use platemark_native::gpu::card::Card;
use platemark_native::gpu::driver::Driver;
use platemark_native::gpu::error::CardError;
use platemark_native::gpu::self_test::self_test;
use platemark_native::gpu::{columns, msm, polynomials, rounds};
use platemark_native::sumcheck::field::F;
use platemark_native::sumcheck::kzg::{Srs, divide_by_root};
use platemark_native::sumcheck::transcript::Transcript;
use platemark_native::sumcheck::{msm as cpu_msm, multilinear, rounds as cpu_rounds};
use std::time::Instant;

/// Seconds of the second run of two: the first one warms up.
fn seconds<T>(mut run: impl FnMut() -> Result<T, CardError>) -> Result<f64, CardError> {
    run()?;
    let began = Instant::now();
    run()?;
    Ok(began.elapsed().as_secs_f64())
}

/// `bytes` are what must at least be read and written.
fn line(name: &str, bits: usize, card: f64, cpu: f64, bytes: f64) {
    let (card_ms, cpu_ms) = (card * 1e3, cpu * 1e3);
    let (times, rate) = (cpu / card, bytes / card / 1e9);
    println!(
        "{name:28} 2^{bits:<3} {card_ms:10.3} ms {cpu_ms:10.1} ms {times:7.1}× {rate:8.1} GB/s"
    );
}

fn main() -> Result<(), CardError> {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let driver = Driver::load()?;
    let card = Card::open(&driver, numbers.first().copied().unwrap_or(0))?;
    println!("{:?}, driver for CUDA {}", card.info(), driver.cuda_version()?);
    for (name, seconds) in self_test(&card)? {
        println!("self-test: {name} {:.1} ms", seconds * 1e3);
    }
    let most = numbers.get(1).map_or(20, |bits| *bits as usize);
    let scalars: Vec<F> = std::iter::successors(Some(-F::from(2u64)), |x| Some(x.square() - x))
        .take(1 << most)
        .collect();
    let integers: Vec<i64> = (0..1i64 << most).map(|i| (i * i * 31) % 65_521 - 32_000).collect();
    let srs = Srs::insecure(scalars[7], most);
    for bits in (16..=most).step_by(2) {
        let count = 1usize << bits;
        let bytes = |each: usize| (count * each) as f64;
        let (own, cells) = (&scalars[..count], &integers[..count]);
        let began = Instant::now();
        let points = card.upload_powers(&srs.powers[..count])?;
        let values = card.upload_scalars(own)?;
        let integers = card.upload(cells)?;
        card.synchronize()?;
        line("upload", bits, began.elapsed().as_secs_f64(), 0.0, bytes(64 + 32 + 8));

        let time = seconds(|| msm::msm(&card, points.view(), values.view()))?;
        let cpu = seconds(|| Ok(cpu_msm::msm(&srs.powers[..count], own)))?;
        line("msm", bits, time, cpu, bytes(64 + 32));
        let time = seconds(|| msm::msm_integers(&card, points.view(), integers.view(), 16))?;
        let cpu = seconds(|| Ok(cpu_msm::msm_small(&srs.powers[..count], cells)))?;
        line("msm of 16-bit integers", bits, time, cpu, bytes(64 + 8));

        let time = seconds(|| {
            let inverses = columns::invert(&card, values.view(), None)?;
            card.synchronize()?;
            Ok(inverses)
        })?;
        let cpu = seconds(|| {
            let mut values = own.to_vec();
            multilinear::invert_all(&mut values);
            Ok(values)
        })?;
        line("inverses", bits, time, cpu, bytes(64));

        let time = seconds(|| {
            let quotient = polynomials::divide(&card, values.view(), 1, own[3])?;
            card.synchronize()?;
            Ok(quotient)
        })?;
        let cpu = seconds(|| Ok(divide_by_root(own, own[3])))?;
        line("division by X − x", bits, time, cpu, bytes(64));

        let copy = || -> Result<_, CardError> {
            let copy = card.allocate(count)?;
            copy.view().copy_from(values.view())?;
            Ok(copy)
        };
        let mut products = [rounds::Product::new(copy()?, copy()?, bits)?];
        let began = Instant::now();
        let mut transcript = Transcript::default();
        rounds::prove_plain(&card, &mut products, F::from(1u64), bits, &mut transcript)?;
        let time = began.elapsed().as_secs_f64();
        let mut products = [cpu_rounds::Product::new(own.to_vec(), own.to_vec())];
        let began = Instant::now();
        let mut transcript = Transcript::default();
        cpu_rounds::prove_plain(&mut products, F::from(1u64), bits, &mut transcript);
        // Every round reads both factors and writes half of them: 3 times their size in all.
        line("all rounds of one product", bits, time, began.elapsed().as_secs_f64(), bytes(192));
    }
    Ok(())
}
