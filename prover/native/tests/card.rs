//! The kernels and the code around them against the CPU, on the simulated card: the same kernel sources,
//! compiled for the host, behind the driver's functions.

// The simulated driver's functions are handed over.
#![allow(unsafe_code)]

use ark_bn254::{Fq, G1Affine, G1Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{AdditiveGroup, Field, One, PrimeField, Zero};
use platemark_native::gpu::card::{Card, Point, Scalar};
use platemark_native::gpu::checks::{
    Operation, PointOperation, on_base_field, on_points, on_scalars,
};
use platemark_native::gpu::driver::Driver;
use platemark_native::gpu::error::CardError;
use platemark_native::gpu::opening::OnCard;
use platemark_native::gpu::self_test::{SHORT, self_test};
use platemark_native::gpu::{affine, columns, merge, msm, polynomials, ptx, rounds};
use platemark_native::sumcheck::field::{F, from_i64};
use platemark_native::sumcheck::kzg::Srs;
use platemark_native::sumcheck::mercury::{self, Univariate, open_by};
use platemark_native::sumcheck::multilinear::{eq_vector, inner_product};
use platemark_native::sumcheck::rounds as cpu_rounds;
use platemark_native::sumcheck::transcript::Transcript;
use platemark_native::sumcheck::{buckets, kzg, msm as cpu_msm};
use platemark_simulated_card as simulation;
use sha2::{Digest, Sha256};
use std::sync::Arc;

fn driver() -> Arc<Driver> {
    // SAFETY: the simulated driver has these functions as long as the program runs.
    unsafe { Driver::from_symbols(simulation::symbol) }.unwrap()
}

fn card() -> Card {
    Card::open(&driver(), 0).unwrap()
}

/// Field elements that look random, after those where carries and reductions are at their limits.
fn elements<P: PrimeField>(count: usize) -> Vec<P> {
    let edges = [0u64, 1, 2, 0xffff_ffff, 0x1_0000_0000, u64::MAX].map(P::from);
    let shifted = (1..8).map(|k| P::from(2u64).pow([32 * k]));
    let mut values: Vec<P> = edges.into_iter().chain(shifted).collect();
    let negative: Vec<P> = values.iter().map(|v| -*v).collect();
    values.extend(negative);
    // Stored as all kinds of limbs: 2^-256 makes the stored integer small.
    let unit = P::from(2u64).pow([256]).inverse().unwrap();
    values.extend([P::one(), -P::one(), P::from(3u64)].map(|v| v * unit));
    let mut x = P::from(0x1234_5678_9abc_def1u64);
    while values.len() < count {
        x = x.square() + P::from(values.len() as u64);
        values.push(x);
    }
    values.truncate(count);
    values
}

fn points(count: usize) -> Vec<G1Affine> {
    let mut point = G1Projective::generator();
    let points: Vec<G1Projective> = (0..count)
        .map(|_| {
            point = point.double() + G1Projective::generator();
            point
        })
        .collect();
    G1Projective::normalize_batch(&points)
}

fn naive(points: &[G1Affine], scalars: &[F]) -> G1Affine {
    points.iter().zip(scalars).map(|(p, s)| *p * *s).sum::<G1Projective>().into_affine()
}

#[test]
fn fields() {
    let card = card();
    let pairs = |count| (0..count).flat_map(move |i| (0..count).map(move |j| (i, j)));
    let values: Vec<F> = elements(48);
    let (a, b): (Vec<F>, Vec<F>) = pairs(48).map(|(i, j)| (values[i], values[j])).unzip();
    let base: Vec<Fq> = elements(48);
    let (c, d): (Vec<Fq>, Vec<Fq>) = pairs(48).map(|(i, j)| (base[i], base[j])).unzip();
    fn expected<P: PrimeField>(operation: Operation, a: &[P], b: &[P]) -> Vec<P> {
        let apply = |(a, b): (&P, &P)| match operation {
            Operation::Add => *a + b,
            Operation::Subtract => *a - b,
            Operation::Multiply => *a * b,
            Operation::Invert => a.inverse().unwrap_or_default(),
        };
        a.iter().zip(b).map(apply).collect()
    }
    for operation in [Operation::Add, Operation::Subtract, Operation::Multiply, Operation::Invert] {
        assert_eq!(on_scalars(&card, operation, &a, &b).unwrap(), expected(operation, &a, &b));
        assert_eq!(on_base_field(&card, operation, &c, &d).unwrap(), expected(operation, &c, &d));
    }
}

#[test]
fn points_with_all_exceptions() {
    let card = card();
    let mut some = points(4);
    some.push(G1Affine::identity());
    some.push(-some[0]);
    some.push((some[1] + some[1]).into_affine());
    some.push((-(some[0] + some[0])).into_affine());
    let (a, b): (Vec<G1Affine>, Vec<G1Affine>) =
        some.iter().flat_map(|a| some.iter().map(move |b| (*a, *b))).unzip();
    let expected = |f: &dyn Fn(G1Affine, G1Affine) -> G1Projective| -> Vec<G1Projective> {
        a.iter().zip(&b).map(|(a, b)| f(*a, *b)).collect()
    };
    let on_card = |operation| on_points(&card, operation, &a, &b).unwrap();
    assert_eq!(on_card(PointOperation::AddAffine), expected(&|a, b| a + b));
    assert_eq!(on_card(PointOperation::AddSums), expected(&|a, b| a + b + b));
    assert_eq!(on_card(PointOperation::Double), expected(&|a, _| a + a));
}

#[test]
fn multi_scalar_multiplication() {
    let card = card();
    for count in [1usize, 2, 63, 700] {
        let mut own = points(count);
        let scalars: Vec<F> = elements(count);
        if count > 60 {
            own[40] = G1Affine::identity();
            own[41] = own[42];
            own[43] = -own[42];
        }
        let check = |scalars: &[F]| {
            let on_card = card.upload_points(&own).unwrap();
            let values = card.upload_scalars(scalars).unwrap();
            let sum = msm::msm(&card, on_card.view(), values.view()).unwrap();
            assert_eq!(sum.into_affine(), naive(&own, scalars));
        };
        check(&scalars);
        // One bucket has everything; and nothing at all.
        check(&vec![-F::one(); count]);
        check(&vec![F::zero(); count]);
    }
    let same = [points(1), vec![points(1)[0]; 200]].concat();
    let on_card = card.upload_points(&same).unwrap();
    let values = card.upload_scalars(&vec![F::from(5u64); 201]).unwrap();
    let sum = msm::msm(&card, on_card.view(), values.view()).unwrap();
    assert_eq!(sum, same[0] * F::from(5u64 * 201));
}

#[test]
fn multi_scalar_multiplication_of_integers() {
    let card = card();
    let own = points(500);
    let on_card = card.upload_points(&own).unwrap();
    let vector: Vec<buckets::Point> = own.iter().map(buckets::Point::new).collect();
    for bits in [1usize, 2, 8, 17, 33, 52] {
        let limit = (1i64 << bits) - 1;
        let values: Vec<i64> = (0..500i64)
            .map(|i| match i {
                0 => limit,
                1 => -limit,
                _ => (i * 7_919_777_777) % (2 * limit + 1) - limit,
            })
            .collect();
        let integers = card.upload(&values).unwrap();
        let sum = msm::msm_integers(&card, on_card.view(), integers.view(), bits).unwrap();
        assert_eq!(sum.into_affine(), cpu_msm::msm_small(&vector, &values));
    }
}

#[test]
fn multiplication_in_pieces_where_memory_is_short() {
    let own = points(600);
    let scalars: Vec<F> = elements(600);
    let card = card();
    let on_card = card.upload_points(&own).unwrap();
    let values = card.upload_scalars(&scalars).unwrap();
    simulation::set_memory(1 << 19);
    let sum = msm::msm(&card, on_card.view(), values.view()).unwrap();
    assert_eq!(sum.into_affine(), naive(&own, &scalars));
    simulation::set_memory(1 << 16);
    let failed = msm::msm(&card, on_card.view(), values.view());
    simulation::set_memory(1 << 30);
    assert!(matches!(failed, Err(CardError::Memory { .. })), "{failed:?}");
}

#[test]
fn sums_of_buckets() {
    let card = card();
    let own = points(900);
    let on_card = card.upload_points(&own).unwrap();
    // Bucket 7 is empty, bucket 3 has most.
    let digits: Vec<i32> = (0..900)
        .map(|i| match i % 11 {
            0 => 0,
            1..=6 => 4,
            _ if i % 40 == 7 => 10,
            _ => i % 40 + 1,
        })
        .collect();
    let sums = msm::bucket_sums(&card, on_card.view(), card.upload(&digits).unwrap(), 40).unwrap();
    let found = msm::normalize(&card, sums.view()).unwrap().read().unwrap();
    for (bucket, found) in found.iter().enumerate() {
        let expected: G1Projective = own
            .iter()
            .zip(&digits)
            .filter(|(_, d)| **d == bucket as i32 + 1)
            .map(|(p, _)| *p)
            .sum();
        assert_eq!(G1Affine::from(found), expected.into_affine());
    }
}

/// Factors of products of various shapes: variables, stored length.
fn factors() -> Vec<(Vec<F>, Vec<F>, usize)> {
    [(10, 1024), (10, 700), (10, 300), (10, 1), (7, 128), (7, 65), (1, 2), (1, 1), (0, 1)]
        .into_iter()
        .enumerate()
        .map(|(k, (bits, length))| {
            let values: Vec<F> = elements(2 * length + 40 + k);
            let from = 20 + k;
            (values[from..from + length].to_vec(), values[from + length..][..length].to_vec(), bits)
        })
        .collect()
}

#[test]
fn plain_rounds() {
    let card = card();
    let mut theirs: Vec<_> =
        factors().into_iter().map(|(a, b, bits)| cpu_rounds::Product::padded(a, b, bits)).collect();
    let mut ours: Vec<_> = factors()
        .into_iter()
        .map(|(a, b, bits)| {
            let (a, b) = (card.upload_scalars(&a).unwrap(), card.upload_scalars(&b).unwrap());
            rounds::Product::new(a, b, bits).unwrap()
        })
        .collect();
    let claim = F::from(99u64);
    let wanted = cpu_rounds::prove_plain(&mut theirs, claim, 11, &mut Transcript::default());
    let found =
        rounds::prove_plain(&card, &mut ours, claim, 11, &mut Transcript::default()).unwrap();
    assert_eq!(found, wanted);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours.ends(), theirs.ends());
    }
}

#[test]
fn plain_rounds_in_pieces() {
    let card = card();
    let make = |slot: usize| {
        let (a, b, bits) = factors().swap_remove(slot);
        rounds::Product::new(card.upload_scalars(&a)?, card.upload_scalars(&b)?, bits)
    };
    let count = factors().len();
    let claim = F::from(99u64);
    for variables in [0, 1, 11] {
        let mut whole: Vec<_> = (0..count).map(|slot| make(slot).unwrap()).collect();
        let transcript = &mut Transcript::default();
        let wanted = rounds::prove_plain(&card, &mut whole, claim, variables, transcript).unwrap();
        let transcript = &mut Transcript::default();
        let (found, products) =
            rounds::prove_plain_in_pieces(&card, count, &make, claim, variables, transcript)
                .unwrap();
        assert_eq!(found, wanted);
        if variables == 11 {
            for (own, whole) in products.iter().zip(&whole) {
                assert_eq!(own.ends(), whole.ends());
            }
        }
    }
}

#[test]
fn eq_rounds() {
    let card = card();
    let shapes = [(9usize, 3usize, true), (7, 5, false), (9, 1, true), (0, 1, true)];
    let values: Vec<F> = elements(8000);
    let mut at = 0;
    let mut take = |length: usize| {
        at += length;
        values[at - length..at].to_vec()
    };
    let mut theirs: Vec<cpu_rounds::Constant> = shapes
        .iter()
        .map(|&(bits, count, linear)| cpu_rounds::Constant {
            products: (0..count).map(|_| (take(1 << bits), take(1 << bits))).collect(),
            linear: if linear { take(1 << bits) } else { Vec::new() },
            value: F::from(bits as u64),
            bits,
        })
        .collect();
    let upload = |values: &[F]| card.upload_scalars(values).unwrap();
    let ours: Vec<rounds::Constant> = theirs
        .iter()
        .map(|part| rounds::Constant {
            products: part.products.iter().map(|(a, b)| (upload(a), upload(b))).collect(),
            linear: (!part.linear.is_empty()).then(|| upload(&part.linear)),
            value: part.value,
            bits: part.bits,
        })
        .collect();
    let tau = &elements::<F>(40)[30..39];
    let claim = F::from(5u64);
    let wanted = cpu_rounds::prove_eq(&mut theirs, claim, tau, &mut Transcript::default());
    let found = rounds::prove_eq(&card, &ours, claim, tau, &mut Transcript::default()).unwrap();
    assert_eq!(found, wanted);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        for (own, (a, b)) in ours.products.iter().zip(&theirs.products) {
            assert_eq!(own.0.range(0..1).scalars().unwrap()[0], a[0]);
            assert_eq!(own.1.range(0..1).scalars().unwrap()[0], b[0]);
        }
    }
}

#[test]
fn openings() {
    let card = card();
    for bits in [1usize, 2, 3, 7, 8, 9] {
        let srs = Srs::insecure(F::from(123_456_789u64), bits);
        let f: Vec<F> = elements(1 << bits);
        let point = &elements::<F>(60)[40..40 + bits];
        let powers = card.upload_powers(&srs.powers).unwrap();
        let polynomial: Vec<F> = elements((1 << bits) - 1);
        let at = F::from(99u64);
        let image = Univariate { value: kzg::evaluate(&polynomial, at), polynomial, at };
        for (image, forged_value) in [(None, None), (Some(&image), None), (Some(&image), Some(3))] {
            let transcript = &mut Transcript::default();
            let wanted = mercury::open(&srs, &f, point, image, forged_value, transcript);
            let on_card = card.upload_scalars(&f).unwrap();
            let mut steps = OnCard::new(&card, powers.view(), on_card);
            let transcript = &mut Transcript::default();
            let found = open_by(&mut steps, &srs, point, image, forged_value, transcript).unwrap();
            assert_eq!(found, wanted, "{bits} variables");
        }
    }
}

#[test]
fn vectors() {
    let card = card();
    let point: Vec<F> = elements::<F>(60)[31..40].to_vec();
    let eq = polynomials::eq_vector(&card, &point).unwrap();
    assert_eq!(eq.view().scalars().unwrap(), eq_vector(&point));
    let f: Vec<F> = elements(10_000);
    let x = F::from(77u64).square();
    let on_card = card.upload_scalars(&f).unwrap();
    let (quotient, rest) = polynomials::divide(&card, on_card.view(), 1, x).unwrap();
    let mut wanted = kzg::divide_by_root(&f, x);
    wanted.push(F::zero());
    assert_eq!(quotient.view().scalars().unwrap(), wanted);
    assert_eq!(rest.view().scalars().unwrap(), [kzg::evaluate(&f, x)]);
    let weights = card.upload_scalars(&f[..100]).unwrap();
    let sums = polynomials::row_products(&card, on_card.view(), weights.view()).unwrap();
    let wanted: Vec<F> = f.chunks(100).map(|row| inner_product(row, &f[..100])).collect();
    assert_eq!(sums.view().scalars().unwrap(), wanted);
}

#[test]
fn column_arithmetic() {
    let card = card();
    let count = 5000usize;
    let values: Vec<F> = elements(count);
    let integers: Vec<i64> = (0..count as i64)
        .map(|i| match i % 9 {
            0 => 0,
            1 => i64::MIN,
            2 => i64::MAX,
            _ => (i * 0x7fff_1234_5677) % 1_000_003 - 500_000,
        })
        .collect();
    let (scale, beta) = (values[100], values[200]);
    let on_card = card.upload_scalars(&values).unwrap();
    let cells = card.upload(&integers).unwrap();
    let scalars =
        |buffer: platemark_native::gpu::card::Buffer<Scalar>| buffer.view().scalars().unwrap();

    let found = scalars(columns::from_integers(&card, cells.view(), scale).unwrap());
    assert_eq!(found, integers.iter().map(|v| from_i64(*v) * scale).collect::<Vec<F>>());

    let found = scalars(columns::invert(&card, on_card.view(), Some(cells.view())).unwrap());
    let inverse = |(v, n): (&F, &i64)| if *n == 0 { None } else { v.inverse() };
    let wanted: Vec<F> =
        values.iter().zip(&integers).map(|pair| inverse(pair).unwrap_or_default()).collect();
    assert_eq!(found, wanted);

    let rows: Vec<u32> = (0..3000u32).map(|i| i * 7919 % 5000).collect();
    let on_card_rows = card.upload(&rows).unwrap();
    let found =
        scalars(columns::gather(&card, on_card.view(), on_card_rows.view(), scale).unwrap());
    assert_eq!(found, rows.iter().map(|r| scale * values[*r as usize]).collect::<Vec<F>>());

    let out = card.allocate(count).unwrap();
    columns::fingerprints(&card, cells.view(), -700, scale, beta, out.view()).unwrap();
    let wanted: Vec<F> = (0..count)
        .map(|i| scale - beta * from_i64(i as i64 - 700) - beta.square() * from_i64(integers[i]))
        .collect();
    assert_eq!(scalars(out), wanted);

    let found = scalars(columns::scale_by_integers(&card, on_card.view(), cells.view()).unwrap());
    let wanted: Vec<F> = values.iter().zip(&integers).map(|(v, n)| *v * from_i64(*n)).collect();
    assert_eq!(found, wanted);

    columns::add_scaled_integers(&card, on_card.view(), cells.view(), scale).unwrap();
    let wanted: Vec<F> =
        values.iter().zip(&integers).map(|(v, n)| *v + scale * from_i64(*n)).collect();
    assert_eq!(scalars(on_card), wanted);
}

#[test]
fn sums_of_rows_and_weights() {
    let card = card();
    let values: Vec<F> = elements(6000);
    let on_card = card.upload_scalars(&values).unwrap();
    for rows in [1usize, 3, 600, 6000] {
        let (scales, width) = (&values[..rows], 6000 / rows);
        let found = affine::combine(&card, on_card.view(), scales).unwrap();
        let sum = |j: usize| -> F { (0..rows).map(|i| scales[i] * values[i * width + j]).sum() };
        assert_eq!(found.view().scalars().unwrap(), (0..width).map(sum).collect::<Vec<F>>());
    }
    for bits in [0usize, 1, 7, 12] {
        let point = &values[40..40 + bits];
        let into = card.upload_scalars(&values[..1 << bits]).unwrap();
        merge::add_eq(&card, into.view(), point, values[99]).unwrap();
        let eq = eq_vector(point);
        let wanted: Vec<F> = values.iter().zip(eq).map(|(v, e)| *v + values[99] * e).collect();
        assert_eq!(into.view().scalars().unwrap(), wanted);
    }
}

#[test]
fn self_test_finds_a_card_that_computes_wrongly() {
    let card = card();
    assert_eq!(self_test(&card, SHORT).map(|report| report.len()), Ok(5));
    for downloads in [0, 1, 2, 5, 9] {
        simulation::set_fault(Some(downloads));
        let result = self_test(&card, SHORT);
        simulation::set_fault(None);
        assert!(matches!(result, Err(CardError::Wrong(_))), "{downloads}: {result:?}");
    }
}

#[test]
fn says_what_is_missing() {
    let driver = driver();
    assert_eq!(driver.cards().unwrap()[0].name, "simulated card");
    assert_eq!(driver.cuda_version().unwrap(), "12.1");
    let missing = Card::open(&driver, 3).err();
    assert_eq!(missing, Some(CardError::NoCard { wanted: 3, count: 1 }));
    // SAFETY: no function is given at all.
    let none = unsafe { Driver::from_symbols(|_| std::ptr::null()) }.err();
    assert_eq!(none, Some(CardError::NoDriver("it lacks cuInit".into())));
    let card = card();
    simulation::set_memory(1000);
    let refused = card.allocate::<Point>(100).err();
    simulation::set_memory(1 << 30);
    assert_eq!(refused, Some(CardError::Memory { wanted: 6400, free: 1000 }));
}

#[test]
fn ptx_is_of_these_sources() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/gpu/kernels");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut hasher = Sha256::new();
    for path in paths {
        let data = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        hasher.update(format!("{name} {}\n", data.len()));
        hasher.update(data);
    }
    let digest: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let first = ptx::TEXT.lines().next().unwrap();
    assert!(first.ends_with(&format!("sources {digest}")), "run gpu/build_ptx.py");
}
