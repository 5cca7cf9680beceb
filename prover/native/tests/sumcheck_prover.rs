//! A small model written by hand, with everything that a descriptor can say: honest proofs are accepted
//! and lying ones refused, under layouts where regions are smaller and larger than a column.

// The simulated driver's functions are handed over.
#![allow(unsafe_code)]

use platemark_native::gpu::card::Card;
use platemark_native::gpu::driver::Driver;
use platemark_native::gpu::error::CardError;
use platemark_native::gpu::execute as on_card;
use platemark_native::sumcheck::descriptor::{Block, Descriptor, Key, Node, Term, Weight, bits_of};
use platemark_native::sumcheck::device::Device;
use platemark_native::sumcheck::error::Error;
use platemark_native::sumcheck::execute::execute;
use platemark_native::sumcheck::fallback::prove_or_fall_back;
use platemark_native::sumcheck::field::{F, point_bytes};
use platemark_native::sumcheck::kzg::{Srs, g2_bytes};
use platemark_native::sumcheck::proof::length;
use platemark_native::sumcheck::prover::{
    Checks, ProvingKey, Request, Witness, commit_columns, commit_image, prove,
};
use platemark_native::sumcheck::verifier::{Statement, image_hash, verify};
use platemark_simulated_card as simulation;
use serde_json::{Value, json};

/// Sizes that differ between the layouts.
#[derive(Clone, Copy)]
struct Layout {
    column_bits: usize,
    /// log2 of an activation region: at least 8.
    cell_bits: usize,
    /// log2 of an activation table.
    table_bits: usize,
    binding: &'static str,
}

/// Hands out aligned runs of a group.
#[derive(Default)]
struct Space {
    next: usize,
}

impl Space {
    fn take(&mut self, bits: usize) -> usize {
        let offset = self.next.next_multiple_of(1 << bits);
        self.next = offset + (1 << bits);
        offset
    }

    fn columns(&self, column_bits: usize) -> usize {
        self.next.div_ceil(1 << column_bits)
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{digits}")
}

/// A model with its key, one execution of it and what a prover needs.
struct Model {
    layout: Layout,
    json: Value,
    cells: Vec<i64>,
    first: Vec<i64>,
    pixels: Vec<u8>,
    latent: Vec<u8>,
}

const SHIFT: usize = 6;

/// Index of a multi-index over padded axes.
fn address(digits: impl IntoIterator<Item = (usize, usize)>) -> usize {
    digits.into_iter().fold(0, |sum, (digit, size)| (sum << bits_of(size)) | digit)
}

fn indices(axes: &[usize]) -> Vec<Vec<usize>> {
    axes.iter().fold(vec![vec![]], |all, &size| {
        all.iter().flat_map(|i| (0..size).map(move |d| [&i[..], &[d]].concat())).collect()
    })
}

fn cell(block: &Block, index: &[usize]) -> usize {
    address(index.iter().copied().zip(block.axes.iter().copied()))
}

/// protocol.md §3.3, triple by triple.
fn term_at(
    d: &Descriptor,
    term: &Term,
    output: &Block,
    y: &[usize],
    key: &[i64],
    values: &[Vec<i64>],
) -> i64 {
    let input = &d.blocks[term.input];
    let composite = |axes: &[usize], index: &[usize], block: &Block| {
        axes.iter().fold(0, |sum, &axis| sum * block.axes[axis] + index[axis]) as i64
    };
    let mut sum = 0;
    for u in indices(&input.axes) {
        let same = |pairs: &[[usize; 2]]| pairs.iter().all(|[a, b]| y[*a] == u[*b]);
        if !same(&term.row_axes) || !same(&term.group_axes) {
            continue;
        }
        for k in indices(&term.kernel) {
            let related = term.spatial.iter().all(|s| {
                let (from, to) = (composite(&s.output, y, output), composite(&s.input, &u, input));
                let (from, to) = if s.transposed { (to, from) } else { (from, to) };
                to == from * s.stride + k[s.kernel_axis] as i64 * s.dilation - s.pad
            });
            if !related {
                continue;
            }
            let digits: Vec<(usize, usize)> = term
                .output_axes
                .iter()
                .map(|&axis| (y[axis], output.axes[axis]))
                .chain(term.group_axes.iter().map(|p| (u[p[1]], input.axes[p[1]])))
                .chain(term.contract_axes.iter().map(|&axis| (u[axis], input.axes[axis])))
                .collect();
            let weight = match &term.weight {
                Weight::Constant { offset } => {
                    let flat = k[0] * term.kernel[1] + k[1];
                    let kernel = (flat, term.kernel[0] * term.kernel[1]);
                    key[offset + address(digits.into_iter().chain([kernel]))]
                }
                Weight::Tensor { block, axes } => {
                    let from = &d.blocks[*block];
                    let mut index = vec![0; from.axes.len()];
                    for (axis, (digit, _)) in axes.iter().zip(digits) {
                        index[*axis] = digit;
                    }
                    values[*block][cell(from, &index)]
                }
            };
            sum += weight * values[term.input][cell(input, &u)];
        }
    }
    sum
}

impl Model {
    fn new(layout: Layout) -> Self {
        let mut first = Space::default();
        let mut second = Space::default();
        let mut key = Space::default();
        let table_region = layout.table_bits + 2;
        let mut random = 1u64;
        let mut weights: Vec<(usize, i64)> = Vec::new();
        // A block of weights: padding stays zero.
        let mut block = |key: &mut Space, axes: &[usize], bound: u64| {
            let bits = axes.iter().map(|&size| bits_of(size)).sum();
            let offset = key.take(bits);
            for index in indices(axes) {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
                let value = ((random >> 33) % (2 * bound + 1)) as i64 - bound as i64;
                weights
                    .push((offset + address(index.into_iter().zip(axes.iter().copied())), value));
            }
            offset
        };
        let table_output = key.take(table_region);
        let dense = block(&mut key, &[3, 2, 2, 3, 2], 9);
        let dense_bias = block(&mut key, &[3, 2, 2], 500);
        let depthwise = block(&mut key, &[3, 9], 9);
        let depthwise_bias = block(&mut key, &[3], 100);
        let identity = block(&mut key, &[1], 5);
        let transposed = block(&mut key, &[3, 3, 9], 4);
        let scores = block(&mut key, &[4, 12], 7);
        let spatial = |transposed: bool, stride: i64| {
            let axis = |axis: usize| {
                json!({ "output": [axis + 1], "input": [axis + 1], "kernelAxis": axis,
                        "stride": stride, "dilation": 1, "pad": 1, "transposed": transposed })
            };
            json!([axis(0), axis(1)])
        };
        let term = |input: usize, weight: Value, roles: [Value; 4]| {
            let [output, rows, groups, contract] = roles;
            json!({ "input": input, "weight": weight, "outputAxes": output, "rowAxes": rows,
                    "groupAxes": groups, "contractAxes": contract, "kernel": [1, 1], "spatial": [] })
        };
        let constant = |offset: usize| json!({ "kind": "constant", "offset": offset });
        let tensor =
            |block: usize, axes: Value| json!({ "kind": "tensor", "block": block, "axes": axes });
        let with_kernel = |mut term: Value, transposed: bool, stride: i64| {
            term["kernel"] = json!([3, 3]);
            term["spatial"] = spatial(transposed, stride);
            term
        };
        let affine = |output: usize, table: usize, multiplier: i64, bias: Value, terms: Value| {
            json!({ "kind": "affine", "output": output, "table": table, "limbs": [2, 3],
                    "multiplier": multiplier, "shift": SHIFT, "bias": bias, "terms": terms })
        };
        let none = || json!([]);
        let all = || json!([[0, 0], [1, 1], [2, 2]]);
        let nodes = json!([
            affine(1, 0, 3, json!({ "offset": dense_bias, "axes": [0, 1, 2] }), json!([
                term(0, constant(dense), [json!([0, 1, 2]), none(), none(), json!([0, 1])]),
            ])),
            affine(2, 0, 2, json!({ "offset": depthwise_bias, "axes": [0] }), json!([
                with_kernel(
                    term(1, constant(depthwise), [none(), none(), json!([[0, 0]]), none()]), false, 1),
                // The residual: every axis a row.
                term(1, constant(identity), [none(), all(), none(), none()]),
                // Scaled by the latent.
                term(1, tensor(0, json!([0, 1])),
                     [none(), json!([[2, 2]]), json!([[0, 0], [1, 1]]), none()]),
            ])),
            affine(3, 0, 2, Value::Null, json!([
                with_kernel(
                    term(2, constant(transposed), [json!([0]), none(), none(), json!([0])]), true, 2),
            ])),
            { "kind": "copy", "output": 4, "input": 3, "inputAxes": [1, 2, 0] },
            // Scores: a contraction of two activations.
            affine(5, 0, 1, Value::Null, json!([
                term(4, tensor(4, json!([0, 1])), [json!([0]), json!([[1, 0]]), none(), json!([1])]),
                term(4, constant(scores), [json!([1]), json!([[0, 0]]), none(), json!([1])]),
            ])),
            affine(6, 1, 1, Value::Null, json!([
                term(3, tensor(3, json!([0, 1, 2])), [none(), none(), all(), none()]),
                term(3, constant(identity), [none(), all(), none(), none()]),
            ])),
        ]);
        let (quotient, output) = (first.take(layout.cell_bits), first.take(layout.cell_bits));
        let a_limbs: Vec<usize> = (0..2).map(|_| first.take(layout.cell_bits)).collect();
        let inverses: Vec<usize> = (0..3).map(|_| second.take(layout.cell_bits)).collect();
        let copy = first.take(6);
        let multiplicity = first.take(table_region);
        let inverse = second.take(table_region);
        let low = -(1i64 << (layout.table_bits - 1));
        let table_size = 1usize << layout.table_bits;
        let json = json!({
            "format": "platemark-sumcheck-key", "version": 2, "modelId": "0x00",
            "columnBits": layout.column_bits, "limbBits": 4, "limbs": 2,
            "columns": {
                "first": first.columns(layout.column_bits),
                "second": second.columns(layout.column_bits),
                "key": key.columns(layout.column_bits),
            },
            "activation": { "bits": layout.cell_bits, "quotient": quotient, "output": output,
                            "limbs": a_limbs, "inverses": inverses },
            "copy": { "bits": 6, "offset": copy },
            "table": { "bits": table_region, "multiplicity": multiplicity, "inverse": inverse,
                       "output": table_output },
            "latent": { "dimensions": 6, "table": (0..256).map(|i| i - 128).collect::<Vec<i64>>() },
            "image": { "binding": layout.binding, "height": 4, "width": 4, "channels": 3, "block": 6,
                       "rowAxes": [1], "columnAxes": [2], "channelAxes": [0] },
            "blocks": [
                { "space": "latent", "offset": 0, "axes": [3, 2] },
                { "space": "activation", "offset": 0, "axes": [3, 2, 2] },
                { "space": "activation", "offset": 16, "axes": [3, 2, 2] },
                { "space": "activation", "offset": 64, "axes": [3, 4, 4] },
                { "space": "copy", "offset": 0, "axes": [4, 12] },
                { "space": "activation", "offset": 32, "axes": [4, 4] },
                { "space": "activation", "offset": 128, "axes": [3, 4, 4] },
            ],
            "nodes": nodes,
            "segments": [
                { "offset": 0, "bits": layout.table_bits, "first": low },
                { "offset": table_size, "bits": layout.table_bits, "first": low },
                { "offset": 2 * table_size, "bits": 4, "first": 0 },
                { "offset": 2 * table_size + 16, "bits": 2, "first": 0 },
            ],
        });
        let mut cells = vec![0; key.columns(layout.column_bits) << layout.column_bits];
        for (at, value) in weights {
            cells[at] = value;
        }
        for i in 0..table_size {
            let q = low + i as i64;
            cells[table_output + i] = q.clamp(-20, 20);
            cells[table_output + table_size + i] = (q + 7).clamp(0, 255);
        }
        let first = vec![0; first.columns(layout.column_bits) << layout.column_bits];
        let latent = vec![0, 255, 130, 90, 128, 7];
        let mut model = Self { layout, json, cells, first, pixels: Vec::new(), latent };
        model.execute();
        model
    }

    fn descriptor(&self) -> Descriptor {
        let mut json = self.json.clone();
        json["commitments"] = json!([]);
        json["tauG2"] = json!("");
        serde_json::from_value(json).expect("descriptor")
    }

    /// Fills the first group and the pixels.
    fn execute(&mut self) {
        let d = self.descriptor();
        let mut values = d.public_cells(&self.latent, &[]).expect("latent");
        for (node, block) in d.nodes.iter().zip(&d.blocks[1..]) {
            let mut own = vec![0; 1 << block.bits()];
            match node {
                Node::Copy { input, input_axes, .. } => {
                    let from = &d.blocks[*input];
                    let order: Vec<usize> = input_axes.iter().map(|&a| from.axes[a]).collect();
                    for (to, index) in indices(&block.axes).iter().zip(indices(&order)) {
                        let mut place = vec![0; index.len()];
                        for (axis, digit) in input_axes.iter().zip(index) {
                            place[*axis] = digit;
                        }
                        let value = values[*input][cell(from, &place)];
                        own[cell(block, to)] = value;
                        let at = d.values_at(block).expect("copy") + cell(block, to);
                        self.first[at] = value;
                    }
                }
                Node::Affine { table, multiplier, bias, terms, .. } => {
                    for y in indices(&block.axes) {
                        let mut sum = bias.as_ref().map_or(0, |bias| {
                            let digits = bias.axes.iter().map(|&a| (y[a], block.axes[a]));
                            self.cells[bias.offset + address(digits)]
                        });
                        for term in terms {
                            sum += term_at(&d, term, block, &y, &self.cells, &values);
                        }
                        let scaled = sum * multiplier + (1 << (SHIFT - 1));
                        let (q, rem) = (scaled >> SHIFT, scaled & ((1 << SHIFT) - 1));
                        let segment = &d.segments[*table];
                        let row = usize::try_from(q - segment.first).expect("in the table");
                        assert!(row < 1 << segment.bits, "q = {q} is not in the table");
                        let out = self.cells[d.table.output + segment.offset + row];
                        let local = cell(block, &y);
                        own[local] = out;
                        let at = block.offset + local;
                        self.first[d.activation.quotient + at] = q;
                        self.first[d.activation.output + at] = out;
                        self.first[d.activation.limbs[0] + at] = rem & 15;
                        self.first[d.activation.limbs[1] + at] = rem >> 4;
                    }
                }
            }
            values.push(own);
        }
        let image = &d.blocks[d.image.block];
        self.pixels = indices(&[4, 4, 3])
            .iter()
            .map(|i| values[d.image.block][cell(image, &[i[2], i[0], i[1]])] as u8)
            .collect();
    }

    fn prover(&self) -> Prover {
        let bits = self.layout.column_bits.max(6);
        let srs = Srs::insecure(F::from(0x5eed_5eedu64), bits);
        let mut json = self.json.clone();
        let commitments = commit_columns(&srs, self.layout.column_bits, &self.cells);
        json["commitments"] = commitments.iter().map(|c| hex(&point_bytes(c))).collect();
        json["tauG2"] = hex(&g2_bytes(&srs.tau_g2)).into();
        let key = Key::parse(&json.to_string()).expect("key");
        Prover { pk: ProvingKey { key, srs, cells: self.cells.clone() } }
    }
}

struct Prover {
    pk: ProvingKey,
}

impl Prover {
    fn prove(
        &self,
        first: &[i64],
        pixels: &[u8],
        latent: &[u8],
        forged_row: Option<usize>,
        checks: Checks,
    ) -> Result<Vec<u8>, Error> {
        self.prove_on(&Device::Cpu, first, pixels, latent, forged_row, checks)
    }

    fn prove_on(
        &self,
        device: &Device,
        first: &[i64],
        pixels: &[u8],
        latent: &[u8],
        forged_row: Option<usize>,
        checks: Checks,
    ) -> Result<Vec<u8>, Error> {
        let request = Request { seed: [1; 32], context: [2; 32], pixels, latent, conditions: &[] };
        let witness = Witness { first: first.to_vec(), forged_row, forged_value: None };
        prove(&self.pk, witness, &request, checks, device, &|_| {}).map(|(proof, _)| proof)
    }

    /// The verdict on a proof of these pixels.
    fn verdict(&self, pixels: &[u8], latent: &[u8], proof: &[u8]) -> Result<(), Error> {
        let key = &self.pk.key;
        let hash = image_hash(&key.descriptor, &commit_image(&self.pk.srs, pixels));
        let image = if committed(&key.descriptor) { &hash[..] } else { pixels };
        verify(
            key,
            &Statement { seed: [1; 32], context: [2; 32], image, latent, conditions: &[] },
            proof,
        )
    }
}

fn committed(d: &Descriptor) -> bool {
    d.image.binding == platemark_native::sumcheck::descriptor::Binding::Commitment
}

fn layouts() -> Vec<Layout> {
    let layout = |column_bits, cell_bits, table_bits, binding| Layout {
        column_bits,
        cell_bits,
        table_bits,
        binding,
    };
    vec![
        layout(12, 8, 10, "pixels"),
        layout(8, 8, 10, "commitment"),
        layout(7, 8, 10, "pixels"),
        layout(5, 9, 10, "commitment"),
        layout(11, 13, 10, "pixels"),
        layout(14, 14, 10, "commitment"),
    ]
}

#[test]
fn honest_proofs_are_accepted() {
    for layout in layouts() {
        let model = Model::new(layout);
        let prover = model.prover();
        let proof = prover
            .prove(&model.first, &model.pixels, &model.latent, None, Checks::All)
            .expect("proof");
        assert_eq!(proof.len(), length(&prover.pk.key.descriptor));
        assert_eq!(prover.verdict(&model.pixels, &model.latent, &proof), Ok(()));
    }
}

/// What a key says is computed as protocol.md §3 says it, on both devices.
#[test]
fn models_are_executed_from_their_keys() {
    // SAFETY: the simulated driver has these functions as long as the program runs.
    let driver = unsafe { Driver::from_symbols(simulation::symbol) }.expect("driver");
    let card = Card::open(&driver, 0).expect("card");
    for layout in layouts() {
        let model = Model::new(layout);
        let pk = model.prover().pk;
        for found in
            [execute(&pk, &model.latent, &[]), on_card::execute(&card, &pk, &model.latent, &[])]
        {
            let found = found.expect("execution");
            assert!(found.first == model.first, "other cells");
            assert_eq!(found.pixels, model.pixels);
        }
        let (short, mut broken) = (&model.latent[1..], model.prover().pk);
        assert!(matches!(execute(&broken, short, &[]), Err(Error::PublicInput(_))));
        // Quotients that no table has.
        broken.cells.iter_mut().for_each(|cell| *cell *= 1000);
        for found in [
            execute(&broken, &model.latent, &[]),
            on_card::execute(&card, &broken, &model.latent, &[]),
        ] {
            assert!(matches!(found.err(), Some(Error::Unsatisfied(_))));
        }
    }
}

/// The whole prover on the simulated card: the same kernels, compiled for the host.
#[test]
fn a_card_makes_the_same_proof() {
    // SAFETY: the simulated driver has these functions as long as the program runs.
    let driver = unsafe { Driver::from_symbols(simulation::symbol) }.expect("driver");
    let device = Device::Cuda { driver, ordinal: 0 };
    for layout in &layouts()[..5] {
        let model = Model::new(*layout);
        let prover = model.prover();
        let (first, pixels, latent) = (&model.first, &model.pixels, &model.latent);
        let proof = prover.prove(first, pixels, latent, None, Checks::All).expect("proof");
        let on_card = prover.prove_on(&device, first, pixels, latent, None, Checks::All);
        assert!(on_card == Ok(proof), "another proof, or none");
    }
}

/// What does not fit on a card is done in pieces or on the CPU, phase by phase, and said.
#[test]
fn a_card_with_little_memory_makes_the_same_proof() {
    // SAFETY: as above.
    let driver = unsafe { Driver::from_symbols(simulation::symbol) }.expect("driver");
    let device = Device::Cuda { driver, ordinal: 0 };
    let model = Model::new(layouts()[3]);
    let prover = model.prover();
    let (first, pixels, latent) = (&model.first, &model.pixels, &model.latent);
    let expected = prover.prove(first, pixels, latent, None, Checks::All).expect("proof");
    let request = Request { seed: [1; 32], context: [2; 32], pixels, latent, conditions: &[] };
    let make = |memory: usize| {
        let witness = Witness { first: first.clone(), forged_row: None, forged_value: None };
        simulation::set_memory(memory);
        let made = prove_or_fall_back(&prover.pk, witness, &request, Checks::All, &device, &|_| {});
        simulation::set_memory(1 << 30);
        let made = made.expect("proof");
        assert!(made.proof == expected, "{memory} bytes: another proof");
        let done =
            |device: &str| made.timings.iter().filter(|phase| phase.device == device).count();
        (made.device.clone(), made.notes.len(), done("cpu"), done("cuda:0 (simulated card)"))
    };
    // Not even the powers fit; then some phases, at last all but the first and the last.
    assert_eq!(make(1 << 10), ("cpu".into(), 1, 8, 0));
    let mut before = 6;
    for bits in [13, 17, 20, 22, 26] {
        let (device, notes, on_cpu, on_card) = make(1 << bits);
        assert_eq!(
            (device.as_str(), on_cpu, on_card),
            ("cuda:0 (simulated card)", 2 + notes, 6 - notes)
        );
        assert!(notes <= before, "2^{bits} bytes: {notes} phases on the CPU, {before} with less");
        before = notes;
    }
    assert_eq!(before, 0);
}

/// A card that computes wrongly gives an error, never a proof that fails.
#[test]
fn a_card_that_fails_makes_no_proof() {
    // SAFETY: as above.
    let driver = unsafe { Driver::from_symbols(simulation::symbol) }.expect("driver");
    let device = Device::Cuda { driver, ordinal: 0 };
    let model = Model::new(layouts()[1]);
    let prover = model.prover();
    let prove = || {
        let (pixels, latent) = (&model.pixels, &model.latent);
        prover.prove_on(&device, &model.first, pixels, latent, None, Checks::All)
    };
    simulation::set_memory(1 << 10);
    let short = prove();
    simulation::set_memory(1 << 30);
    assert!(matches!(short, Err(Error::Card(CardError::Memory { .. }))), "{short:?}");
    for downloads in [0, 5, 40] {
        simulation::set_fault(Some(downloads));
        let wrong = prove();
        simulation::set_fault(None);
        assert!(wrong.is_err(), "fault at download {downloads}");
    }
    // What users get is the CPU's proof, with a note.
    let request = Request {
        seed: [1; 32],
        context: [2; 32],
        pixels: &model.pixels,
        latent: &model.latent,
        conditions: &[],
    };
    let make = |downloads| {
        let witness = Witness { first: model.first.clone(), forged_row: None, forged_value: None };
        simulation::set_fault(downloads);
        let made = prove_or_fall_back(&prover.pk, witness, &request, Checks::All, &device, &|_| {});
        simulation::set_fault(None);
        made.expect("proof")
    };
    let (whole, broken) = (make(None), make(Some(5)));
    assert_eq!((whole.device.as_str(), whole.notes.len()), ("cuda:0 (simulated card)", 0));
    assert!(whole.timings.iter().any(|phase| phase.device == "cuda:0 (simulated card)"));
    assert_eq!((broken.device.as_str(), broken.notes.len()), ("cpu", 1));
    assert!(broken.notes[0].contains("its proof was wrong"), "{:?}", broken.notes);
    assert_eq!(whole.proof, broken.proof);
}

/// A lie about the execution: cells of the first group changed.
fn lies(model: &Model) -> Vec<(&'static str, Vec<(usize, i64)>)> {
    let d = model.descriptor();
    let a = &d.activation;
    let copy = d.copy.expect("copies").offset;
    let output = 16 + a.output;
    let quotient = 16 + a.quotient;
    // Node 2's table is the identity from −20 to 20: both the quotient and its output move.
    let step = if model.first[quotient].abs() < 20 { 1 } else { 0 };
    vec![
        ("an output", vec![(output, 1)]),
        ("a quotient", vec![(quotient, 1)]),
        ("a quotient with its output", vec![(quotient, 1), (output, step)]),
        (
            "a low limb",
            vec![(16 + a.limbs[0], if model.first[16 + a.limbs[0]] < 15 { 1 } else { -1 })],
        ),
        (
            "a high limb",
            vec![(16 + a.limbs[1], if model.first[16 + a.limbs[1]] < 3 { 1 } else { -1 })],
        ),
        ("a limb out of range", vec![(16 + a.limbs[0], 16), (16 + a.limbs[1], -1)]),
        // Block 3 has axes [3, 4, 4]: its last quarter is padding.
        ("padding of an output", vec![(64 + 48 + a.output, 1)]),
        ("padding of a quotient", vec![(64 + 48 + a.quotient, 1)]),
        ("padding of a limb", vec![(64 + 48 + a.limbs[0], 1)]),
        ("a cell outside all blocks", vec![((1 << a.bits) - 1 + a.output, 1)]),
        ("a copied value", vec![(copy, 1)]),
        // Axes [4, 12]: digits from 12 on are padding.
        ("padding of a copy", vec![(copy + 12, 1)]),
    ]
    .into_iter()
    .filter(|(name, _)| *name != "a cell outside all blocks" || a.bits > 8)
    .collect()
}

#[test]
fn lying_proofs_are_refused() {
    for layout in [layouts()[0], layouts()[3]] {
        let model = Model::new(layout);
        let prover = model.prover();
        let refused = |name: &str, first: &[i64], pixels: &[u8], forged_row: Option<usize>| {
            let latent = &model.latent;
            let proof = prover
                .prove(first, pixels, latent, forged_row, Checks::None)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(prover.verdict(pixels, latent, &proof), Err(Error::MergedClaim), "{name}");
            assert!(
                prover.prove(first, pixels, latent, forged_row, Checks::All).is_err(),
                "{name}"
            );
        };
        for (name, changes) in lies(&model) {
            let mut first = model.first.clone();
            for (at, by) in changes {
                first[at] += by;
            }
            refused(name, &first, &model.pixels, None);
        }
        let rows = 1usize << model.descriptor().table.bits;
        for row in [0, 5, rows - 1] {
            refused("a multiplicity", &model.first, &model.pixels, Some(row));
        }
        for at in [0, 17, 47] {
            let mut pixels = model.pixels.clone();
            pixels[at] ^= 1;
            refused("a pixel", &model.first, &pixels, None);
        }
    }
}

#[test]
fn statements_and_proofs_belong_together() {
    for layout in [layouts()[0], layouts()[1]] {
        let model = Model::new(layout);
        let prover = model.prover();
        let (pixels, latent) = (&model.pixels, &model.latent);
        let proof = prover.prove(&model.first, pixels, latent, None, Checks::All).expect("proof");
        let mut other = pixels.clone();
        other[3] ^= 4;
        let expected = if layout.binding == "pixels" { Error::MergedClaim } else { Error::Image };
        assert_eq!(prover.verdict(&other, latent, &proof), Err(expected));
        let mut seeds = latent.clone();
        seeds[0] += 1;
        assert!(prover.verdict(pixels, &seeds, &proof).is_err());
        assert!(prover.verdict(pixels, &latent[1..], &proof).is_err());
        assert!(
            prover.verdict(&pixels[1..], latent, &proof).is_err() || layout.binding != "pixels"
        );
        // Every word of a proof is read.
        for at in (0..proof.len()).step_by(32) {
            let mut bytes = proof.clone();
            bytes[at + 31] ^= 1;
            assert!(prover.verdict(pixels, latent, &bytes).is_err(), "byte {at}");
        }
        assert!(prover.verdict(pixels, latent, &proof[32..]).is_err());
        let longer = [&proof[..], &[0; 32]].concat();
        assert!(prover.verdict(pixels, latent, &longer).is_err());
    }
}

/// §3.6, each by the smallest change of a key.
#[test]
fn malformed_keys_are_refused() {
    let model = Model::new(layouts()[0]);
    let key = model.prover().pk.key.descriptor;
    let mut json = model.json.clone();
    json["commitments"] = json!(key.commitments);
    json["tauG2"] = json!(key.tau_g2);
    assert!(Key::parse(&json.to_string()).is_ok());
    let quotient = json["activation"]["quotient"].as_u64().expect("offset");
    let output = json["table"]["output"].as_u64().expect("offset");
    let changes = [
        ("/version", json!(1)),
        ("/columns/first", json!(0)),
        ("/columns/key", json!(1)),
        ("/activation/output", json!(quotient)),
        ("/activation/quotient", json!(quotient + 1)),
        ("/activation/limbs", json!([])),
        ("/activation/inverses/0", json!(1u64 << 40)),
        ("/activation/bits", json!(64)),
        ("/table/bits", json!(5)),
        ("/copy", Value::Null),
        ("/copy/bits", json!(5)),
        ("/copy/offset", json!(quotient)),
        ("/image/binding", json!("none")),
        ("/image/block", json!(5)),
        ("/blocks/1/offset", json!(3)),
        ("/blocks/6/offset", json!(256)),
        ("/nodes/0/terms/0/weight/offset", json!(output)),
        ("/nodes/0/bias/offset", json!(output)),
        ("/nodes/0/terms/0/weight/offset", json!(1u64 << 60)),
        ("/nodes/4/terms/0/weight/block", json!(5)),
        ("/nodes/4/terms/0/weight/axes", json!([0])),
        ("/nodes/4/terms/0/weight/axes", json!([1, 0])),
        ("/nodes/4/terms/0/kernel", json!([2, 1])),
        ("/nodes/4/terms/0/input", json!(5)),
        ("/nodes/1/terms/0/spatial/0/output", json!([2])),
        ("/nodes/1/terms/1/rowAxes", json!([[0, 0], [1, 1]])),
        ("/nodes/0/limbs/0", json!(3)),
        ("/segments/3/offset", json!(4092)),
        ("/segments/0/offset", json!(1)),
        ("/segments/2/offset", json!(16)),
        ("/blocks/3/offset", json!(0)),
        ("/commitments", json!([])),
        ("/tauG2", json!(format!("0x{}", "00".repeat(128)))),
    ];
    for (pointer, value) in changes {
        let mut changed = json.clone();
        *changed.pointer_mut(pointer).expect(pointer) = value;
        let result = Key::parse(&changed.to_string());
        assert!(matches!(result, Err(Error::Key(_))), "{pointer}");
    }
}
