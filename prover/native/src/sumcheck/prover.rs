//! The prover (protocol.md §4, §6–§8). Every proof is verified before it is returned.

use super::affine::{Prepared, contract_weights, copy_factor, prepare};
use super::claims::{
    Challenges, Column, Functional, Values, functional, image_value, image_weights, limb_scale,
};
use super::descriptor::{Descriptor, Key, Node, Space, scalar};
use super::error::Error;
use super::field::{F, from_i64, scalar_bytes};
use super::kzg::Srs;
use super::mercury;
use super::msm::{Entry, bucket_sums, msm, msm_small};
use super::multilinear::{eq_vector, eq_vector_scaled, invert_all, power};
use super::proof::{Proof, points_bytes, scalars_bytes};
use super::rounds::{Product, prove_plain, prove_zerocheck};
use super::small::{SmallSum, dot};
use super::transcript::Transcript;
use super::verifier::{Statement, verify};
use ark_bn254::G1Affine;
use ark_ff::{One, Zero};
use rayon::prelude::*;
use std::time::Instant;

/// What only the prover has of a key.
pub struct ProvingKey {
    /// The public part.
    pub key: Key,
    /// At least one column of powers.
    pub srs: Srs,
    /// T_out over all table columns.
    pub table: Vec<i64>,
    /// All weight columns.
    pub weight: Vec<i64>,
}

/// The values that the prover commits to, laid out in their spaces.
pub struct Witness {
    /// q.
    pub quotient: Vec<i64>,
    /// out.
    pub output: Vec<i64>,
    /// Limbs of rem, least significant first.
    pub limbs: Vec<Vec<i64>>,
    /// Rearranged copies.
    pub copy: Vec<i64>,
    /// A table row that is counted once too often: for tests of what verifiers reject.
    pub forged_row: Option<usize>,
}

/// How strict the prover is with its own witness.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// Refuse unsatisfied witnesses, verify the proof before returning it.
    All,
    /// Prove whatever is given: for tests of what verifiers reject.
    None,
}

/// Seconds per phase, in order.
pub type Timings = Vec<(&'static str, f64)>;

struct Clock<'a> {
    last: Instant,
    timings: Timings,
    progress: &'a (dyn Fn(&str) + Sync),
}

impl Clock<'_> {
    fn phase(&mut self, name: &'static str) {
        self.timings.push((name, self.last.elapsed().as_secs_f64()));
        self.last = Instant::now();
        (self.progress)(name);
    }
}

impl ProvingKey {
    /// Checks sizes.
    pub fn check(&self) -> Result<(), Error> {
        let d = &self.key.descriptor;
        let expect = |holds: bool, what: &str| {
            if holds { Ok(()) } else { Err(Error::Key(what.into())) }
        };
        expect(self.srs.powers.len() >= d.rows(), "too few powers of tau")?;
        expect(self.srs.tau_g2 == self.key.tau_g2, "powers of tau of another setup")?;
        expect(self.table.len() == d.columns.table * d.rows(), "table length")?;
        expect(self.weight.len() == d.columns.weight * d.rows(), "weight length")
    }
}

/// Commits to the columns of a key: T_out and weights.
pub fn commit_columns(srs: &Srs, column_bits: usize, cells: &[i64]) -> Vec<G1Affine> {
    let rows = 1usize << column_bits;
    cells.chunks(rows).map(|column| msm_small(&srs.powers[..rows], column)).collect()
}

/// Table row of every lookup, with the rows that no table has (only in proofs meant to be rejected).
struct Lookups {
    /// Per kind (activation, then limbs), per cell: row, or table length + index into `strays`.
    rows: Vec<Vec<u32>>,
    strays: Vec<F>,
    multiplicity: Vec<i64>,
}

fn find_rows(
    pk: &ProvingKey,
    w: &Witness,
    checks: Checks,
    beta: Option<F>,
) -> Result<Lookups, Error> {
    let d = &pk.key.descriptor;
    let total = pk.table.len();
    let zero_row = d.segments.iter().map(|s| s.offset + (1 << s.bits)).max().unwrap_or(0);
    let cells = d.columns.activation << d.column_bits;
    let mut rows = vec![vec![zero_row as u32; cells]; 1 + d.limbs];
    let mut strays = Vec::new();
    let beta_value = beta.unwrap_or(F::zero());
    let mut stray = |tag: u64, value: i64, out: i64, cell: usize| -> Result<u32, Error> {
        if checks == Checks::All {
            return Err(Error::Unsatisfied(format!(
                "cell {cell}: ({value}, {out}) is not in table {tag}"
            )));
        }
        strays.push(F::from(tag) + beta_value * (from_i64(value) + beta_value * from_i64(out)));
        Ok((total + strays.len() - 1) as u32)
    };
    let mut covered = vec![false; cells];
    for node in &d.nodes {
        let Node::Affine { output, table, limbs, .. } = node else {
            continue;
        };
        let block = &d.blocks[*output];
        let segment = &d.segments[*table];
        for local in block.cells() {
            let cell = block.offset + local;
            covered[cell] = true;
            let (q, out) = (w.quotient[cell], w.output[cell]);
            let index = q - segment.first;
            let row = segment.offset.wrapping_add(index as usize);
            rows[0][cell] = if (0..1 << segment.bits).contains(&index) && pk.table[row] == out {
                row as u32
            } else {
                stray(*table as u64 + 1, q, out, cell)?
            };
            for (l, &limb) in limbs.iter().enumerate() {
                let value = w.limbs[l][cell];
                rows[1 + l][cell] = match usize::try_from(limb) {
                    Ok(s) if (0..1 << d.segments[s].bits).contains(&value) => {
                        (d.segments[s].offset + value as usize) as u32
                    }
                    Err(_) if value == 0 => zero_row as u32,
                    _ => stray((limb + 1) as u64, value, 0, cell)?,
                };
            }
        }
    }
    for cell in (0..cells).filter(|&cell| !covered[cell]) {
        if w.quotient[cell] != 0 || w.output[cell] != 0 {
            rows[0][cell] = stray(0, w.quotient[cell], w.output[cell], cell)?;
        }
        for l in 0..d.limbs {
            if w.limbs[l][cell] != 0 {
                rows[1 + l][cell] = stray(0, w.limbs[l][cell], 0, cell)?;
            }
        }
    }
    let mut multiplicity = vec![0i64; total];
    for row in rows.iter().flatten() {
        if (*row as usize) < total {
            multiplicity[*row as usize] += 1;
        }
    }
    if let Some(count) = w.forged_row.and_then(|row| multiplicity.get_mut(row)) {
        *count += 1;
    }
    Ok(Lookups { rows, strays, multiplicity })
}

/// `α − t` for every table row, strays at the end.
fn differences(pk: &ProvingKey, strays: &[F], beta: F, alpha: F) -> Vec<F> {
    let d = &pk.key.descriptor;
    let beta2 = beta * beta;
    let mut values = vec![alpha; pk.table.len()];
    for (i, segment) in d.segments.iter().enumerate() {
        let tag = alpha - F::from(i as u64 + 1);
        let from = segment.offset;
        values[from..from + (1 << segment.bits)]
            .par_iter_mut()
            .with_min_len(1024)
            .enumerate()
            .for_each(|(row, value)| {
                *value = tag
                    - beta * from_i64(segment.first + row as i64)
                    - beta2 * from_i64(pk.table[from + row]);
            });
    }
    values.extend(strays.iter().map(|stray| alpha - stray));
    values
}

/// Commits to a column whose values are `values[rows[cell]]`: equal rows share one multiplication.
fn commit_shared(srs: &Srs, rows: &[u32], values: &[F]) -> G1Affine {
    let mut index = vec![u32::MAX; values.len()];
    let mut used = Vec::new();
    let entries: Vec<Entry> = rows
        .iter()
        .enumerate()
        .map(|(cell, &row)| {
            let slot = &mut index[row as usize];
            if *slot == u32::MAX {
                *slot = used.len() as u32;
                used.push(row);
            }
            Entry { bucket: *slot, point: cell as u32, negative: false }
        })
        .collect();
    let sums = bucket_sums(&srs.powers, &entries, used.len());
    let scalars: Vec<F> = used.iter().map(|&row| values[row as usize]).collect();
    msm(&sums, &scalars)
}

fn to_field(values: &[i64]) -> Vec<F> {
    values.par_iter().with_min_len(4096).map(|v| from_i64(*v)).collect()
}

fn check_witness(d: &Descriptor, w: &Witness) -> Result<(), Error> {
    let cells = d.columns.activation << d.column_bits;
    let good = w.quotient.len() == cells
        && w.output.len() == cells
        && w.limbs.len() == d.limbs
        && w.limbs.iter().all(|limb| limb.len() == cells)
        && w.copy.len() == d.columns.copy << d.column_bits;
    if good { Ok(()) } else { Err(Error::Witness("column lengths".into())) }
}

/// Proves the statement.
pub fn prove(
    pk: &ProvingKey,
    witness: &Witness,
    statement: &Statement,
    checks: Checks,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(Vec<u8>, Timings), Error> {
    let d = &pk.key.descriptor;
    pk.check()?;
    statement.check(&pk.key)?;
    check_witness(d, witness)?;
    let mut clock = Clock { last: Instant::now(), timings: Vec::new(), progress };
    let mut transcript = Transcript::default();
    let mut ch = Challenges::default();
    let rows = d.rows();

    let lookups = find_rows(pk, witness, checks, None)?;
    let first_integers: Vec<&[i64]> = [&witness.quotient, &witness.output]
        .into_iter()
        .chain(&witness.limbs)
        .chain([&witness.copy, &lookups.multiplicity])
        .flat_map(|column| column.chunks(rows))
        .collect();
    let first_commitments: Vec<G1Affine> =
        first_integers.par_iter().map(|column| msm_small(&pk.srs.powers[..rows], column)).collect();
    clock.phase("commit");

    let mut message = statement.message(&pk.key);
    message.extend(points_bytes(&first_commitments));
    let drawn = transcript.step(&message, 2);
    (ch.beta, ch.alpha) = (drawn[0], drawn[1]);
    // Strays depend on β; their places do not.
    let strays = if lookups.strays.is_empty() {
        Vec::new()
    } else {
        find_rows(pk, witness, checks, Some(ch.beta))?.strays
    };
    let differences = differences(pk, &strays, ch.beta, ch.alpha);
    let mut inverses = vec![F::zero(); differences.len()];
    let mut used: Vec<bool> = lookups.multiplicity.iter().map(|m| *m != 0).collect();
    used.resize(differences.len(), true);
    let indices: Vec<usize> = (0..used.len()).filter(|&i| used[i]).collect();
    let mut needed: Vec<F> = indices.iter().map(|&i| differences[i]).collect();
    invert_all(&mut needed);
    for (i, inverse) in indices.iter().zip(needed) {
        inverses[*i] = inverse;
    }
    let table_inverse: Vec<F> = lookups
        .multiplicity
        .par_iter()
        .with_min_len(4096)
        .zip(&inverses)
        .map(|(m, i)| if *m == 0 { F::zero() } else { from_i64(*m) * i })
        .collect();
    let lookup_rows: Vec<&[u32]> = lookups.rows.iter().flat_map(|r| r.chunks(rows)).collect();
    let mut second_commitments: Vec<G1Affine> =
        lookup_rows.par_iter().map(|column| commit_shared(&pk.srs, column, &inverses)).collect();
    second_commitments.extend(table_inverse.chunks(rows).map(|g| msm(&pk.srs.powers[..rows], g)));
    clock.phase("commit lookups");

    let r = d.output_bits();
    let n = d.column_bits;
    let drawn = transcript.step(&points_bytes(&second_commitments), r + n + 3);
    ch.r = drawn[..r].to_vec();
    (ch.gamma, ch.z) = (drawn[r], drawn[r + 1]);
    ch.tau = drawn[r + 2..r + 2 + n].to_vec();
    ch.lambda = drawn[r + 2 + n];

    let latent = d.latent_cells(statement.latent);
    let affine = prove_affine(pk, witness, &latent, &mut ch, &mut transcript);
    clock.phase("affine sumchecks");

    // Lookups: h·(α − f) = 1 on cells, g·(α − t) = m on rows.
    let mut products = Vec::new();
    let mut linear = vec![F::zero(); rows];
    let mut lambda = F::one();
    let mut claim = F::zero();
    for column in &lookup_rows {
        claim += lambda;
        let scaled = |row: &u32| lambda * inverses[*row as usize];
        products.push(Product::new(
            column.par_iter().with_min_len(4096).map(scaled).collect(),
            column.par_iter().with_min_len(4096).map(|row| differences[*row as usize]).collect(),
        ));
        lambda *= ch.lambda;
    }
    for (chunk, g) in table_inverse.chunks(rows).enumerate() {
        let from = chunk * rows;
        products.push(Product::new(
            g.iter().map(|g| if g.is_zero() { *g } else { lambda * g }).collect(),
            differences[from..from + rows].to_vec(),
        ));
        for (sum, m) in linear.iter_mut().zip(&lookups.multiplicity[from..]) {
            if *m != 0 {
                *sum -= lambda * from_i64(*m);
            }
        }
        lambda *= ch.lambda;
    }
    let (zero_rounds, s, zero_end) =
        prove_zerocheck(&mut products, linear, claim, &ch.tau, &mut transcript);
    ch.s = s;
    let eq_s = eq_vector(&ch.s);
    let inverse_at = |point: &[F]| -> Vec<F> {
        let mut values: Vec<F> = lookup_rows
            .par_iter()
            .map(|column| {
                column.iter().zip(point).map(|(row, e)| inverses[*row as usize] * e).sum()
            })
            .collect();
        values.extend(table_inverse.chunks(rows).map(|g| -> F {
            g.iter().zip(point).filter(|(g, _)| !g.is_zero()).map(|(g, e)| *g * e).sum()
        }));
        values
    };
    let at_s = inverse_at(&eq_s);
    ch.nu = transcript.one(&scalars_bytes(&at_s));
    clock.phase("lookup sumcheck");

    let values = Values {
        affine_sum: affine.sum,
        first_end: affine.first_end,
        contracted: affine.contracted.clone(),
        second_end: affine.second_end,
        zero_end,
        inverses: at_s.clone(),
    };
    let image = image_value(d, statement.pixels, ch.z);
    let merged = functional(&pk.key, &ch, &values, &latent, image);
    let columns = Columns {
        first: &first_integers,
        lookup_rows: &lookup_rows,
        inverses: &inverses,
        table_inverse: table_inverse.chunks(rows).collect(),
        last: pk.table.chunks(rows).chain(pk.weight.chunks(rows)).collect(),
    };
    let (mut products, linear) = merged_products(d, &merged, &ch, &columns, witness, eq_s);
    let (merge_rounds, rho, _) =
        prove_plain(&mut products, Some(linear), merged.claim, n, &mut transcript);
    drop(products);
    let eq_rho = eq_vector(&rho);
    let integer_at = |column: &&[i64]| -> F { dot(column, &eq_rho) };
    let mut at_rho: Vec<F> = columns.first.par_iter().map(integer_at).collect();
    at_rho.extend(inverse_at(&eq_rho));
    at_rho.par_extend(columns.last.par_iter().map(integer_at));
    let mu = transcript.one(&scalars_bytes(&at_rho));
    clock.phase("merging sumcheck");

    let (combined, value) = combine(&columns, rows, &at_rho, mu);
    let opening = mercury::open(&pk.srs, &combined, &rho, value, &mut transcript);
    clock.phase("opening");
    let proof = Proof {
        first_commitments,
        second_commitments,
        affine_sum: affine.sum,
        first_rounds: affine.first_rounds,
        contracted: affine.contracted,
        second_rounds: affine.second_rounds,
        zero_rounds,
        inverses: at_s,
        merge_rounds,
        columns: at_rho,
        opening,
    };
    let bytes = proof.write();
    if checks == Checks::All {
        verify(&pk.key, statement, &bytes)?;
        clock.phase("verify");
    }
    Ok((bytes, clock.timings))
}

struct Affine {
    sum: F,
    first_rounds: Vec<[F; 2]>,
    first_end: F,
    contracted: Vec<F>,
    second_rounds: Vec<[F; 2]>,
    second_end: F,
}

/// Factors of the second phase.
enum Pending {
    /// Known after the first phase.
    Term(Prepared),
    /// A copy's, known at once.
    Ready(Vec<F>, Vec<F>),
}

fn input_cells<'a>(d: &Descriptor, w: &'a Witness, latent: &'a [i64], input: usize) -> &'a [i64] {
    let block = &d.blocks[input];
    let cells = 1usize << block.bits();
    match block.space {
        Space::Latent => latent,
        Space::Activation => &w.output[block.offset..block.offset + cells],
        Space::Copy => &w.copy[block.offset..block.offset + cells],
    }
}

fn prove_affine(
    pk: &ProvingKey,
    w: &Witness,
    latent: &[i64],
    ch: &mut Challenges,
    transcript: &mut Transcript,
) -> Affine {
    let d = &pk.key.descriptor;
    let (first_count, second_count, _) = d.affine_rounds();
    let mut products = Vec::new();
    // Second-phase factors of copies are ready at once, those of terms after the first phase.
    let mut pending: Vec<Pending> = Vec::new();
    let mut sum = F::zero();
    let mut gamma = F::one();
    for node in &d.nodes {
        let output = &d.blocks[node.output()];
        let r = &ch.r[..output.bits()];
        match node {
            Node::Copy { input, input_axes, .. } => {
                let cells = to_field(input_cells(d, w, latent, *input));
                let wire = copy_factor(input_axes, output, &d.blocks[*input], r);
                let value = super::multilinear::inner_product(&cells, &wire);
                sum += gamma * value;
                products.push(Product::new(vec![gamma], vec![value]));
                pending.push(Pending::Ready(cells, wire));
            }
            Node::Affine { multiplier, terms, .. } => {
                let scale = gamma * scalar(*multiplier);
                for term in terms {
                    let input = &d.blocks[term.input];
                    let mut weights = contract_weights(term, output, input, r, &pk.weight);
                    weights.iter_mut().for_each(|w| *w *= scale);
                    let prepared =
                        prepare(term, output, input, r, input_cells(d, w, latent, term.input));
                    let inputs = prepared.contracted_inputs();
                    sum += super::multilinear::inner_product(&weights, &inputs);
                    products.push(Product::new(weights, inputs));
                    pending.push(Pending::Term(prepared));
                }
            }
        }
        gamma *= ch.gamma;
    }
    transcript.one(&scalar_bytes(&sum));
    let lengths: Vec<usize> = products.iter().map(|p| p.a.len()).collect();
    let (first_rounds, first, first_end) =
        prove_plain(&mut products, None, sum, first_count, transcript);
    ch.first = first;
    let contracted: Vec<F> = products.iter().map(|p| p.b[0]).collect();
    ch.eta = transcript.one(&scalars_bytes(&contracted));
    let mut eta = F::one();
    let mut claim = F::zero();
    let mut products: Vec<Product> = pending
        .into_iter()
        .zip(&lengths)
        .zip(&contracted)
        .map(|((entry, &length), value)| {
            let (input, mut wire) = match entry {
                Pending::Term(prepared) => {
                    prepared.second_factors(&ch.first[..length.trailing_zeros() as usize])
                }
                Pending::Ready(input, wire) => (input, wire),
            };
            wire.iter_mut().for_each(|w| *w *= eta);
            claim += eta * value;
            eta *= ch.eta;
            Product::new(input, wire)
        })
        .collect();
    let (second_rounds, second, second_end) =
        prove_plain(&mut products, None, claim, second_count, transcript);
    ch.second = second;
    Affine { sum, first_rounds, first_end, contracted, second_rounds, second_end }
}

/// All physical columns, in order: integers, shared inverses, table inverses, key columns.
struct Columns<'a> {
    first: &'a [&'a [i64]],
    lookup_rows: &'a [&'a [u32]],
    inverses: &'a [F],
    table_inverse: Vec<&'a [F]>,
    last: Vec<&'a [i64]>,
}

impl Columns<'_> {
    /// `Σ coefficients·columns`, one vector.
    fn combine(&self, coefficients: &[F], rows: usize) -> Vec<F> {
        let (first, rest) = coefficients.split_at(self.first.len());
        let (shared, rest) = rest.split_at(self.lookup_rows.len());
        let (table, last) = rest.split_at(self.table_inverse.len());
        let mut sum = vec![F::zero(); rows];
        sum.par_chunks_mut(COMBINED_ROWS).enumerate().for_each(|(i, out)| {
            let from = i * COMBINED_ROWS;
            let mut small = vec![SmallSum::default(); out.len()];
            let integers = self.first.iter().zip(first).chain(self.last.iter().zip(last));
            for (column, c) in integers.filter(|(_, c)| !c.is_zero()) {
                for (s, &v) in small.iter_mut().zip(&column[from..]) {
                    if v != 0 {
                        s.add(v, c);
                    }
                }
            }
            for (s, small) in out.iter_mut().zip(&small) {
                *s = small.finish();
            }
            for (column, c) in self.lookup_rows.iter().zip(shared).filter(|(_, c)| !c.is_zero()) {
                for (s, &row) in out.iter_mut().zip(&column[from..]) {
                    *s += *c * self.inverses[row as usize];
                }
            }
            for (column, c) in self.table_inverse.iter().zip(table) {
                for (s, v) in out.iter_mut().zip(&column[from..]) {
                    if !v.is_zero() {
                        *s += *c * v;
                    }
                }
            }
        });
        sum
    }
}

/// Rows that are combined at a time: their sums stay in cache.
const COMBINED_ROWS: usize = 1 << 10;

fn combine(columns: &Columns, rows: usize, at_rho: &[F], mu: F) -> (Vec<F>, F) {
    let scales: Vec<F> = (0..at_rho.len() as u64).map(|i| power(mu, i)).collect();
    let value = scales.iter().zip(at_rho).map(|(a, b)| *a * b).sum();
    (columns.combine(&scales, rows), value)
}

/// The merging sumcheck's products: every column against its weights.
fn merged_products(
    d: &Descriptor,
    merged: &Functional,
    ch: &Challenges,
    columns: &Columns,
    w: &Witness,
    eq_s: Vec<F>,
) -> (Vec<Product>, Vec<F>) {
    let rows = d.rows();
    let mut products = vec![Product::new(columns.combine(&merged.at_s, rows), eq_s)];
    let linear = columns.combine(&merged.ones, rows);
    let activation = d.columns.activation;
    let mut spaces: Vec<(Column, Vec<F>)> = vec![
        (Column::Quotient, vec![F::zero(); activation * rows]),
        (Column::Limb(0), vec![F::zero(); activation * rows]),
        (Column::Output, vec![F::zero(); activation * rows]),
        (Column::Copy, vec![F::zero(); d.columns.copy * rows]),
        (Column::Weight, vec![F::zero(); d.columns.weight * rows]),
    ];
    spaces.par_iter_mut().for_each(|(column, weights)| {
        for term in merged.points.iter().filter(|term| term.column == *column) {
            let eq = eq_vector_scaled(&term.point, term.coefficient);
            for (sum, e) in weights[term.offset..].iter_mut().zip(eq) {
                *sum += e;
            }
        }
    });
    let image = &d.blocks[d.image.block];
    let image_column = if image.space == Space::Copy { Column::Copy } else { Column::Output };
    for (column, weights) in &mut spaces {
        if *column == image_column {
            add_image_weights(d, merged.image, ch.z, &mut weights[image.offset..]);
        }
    }
    for (column, weights) in spaces {
        let integers: Vec<Vec<F>> = match column {
            Column::Quotient => w.quotient.chunks(rows).map(to_field).collect(),
            Column::Output => w.output.chunks(rows).map(to_field).collect(),
            Column::Copy => w.copy.chunks(rows).map(to_field).collect(),
            Column::Weight => {
                let from = columns.last.len() - d.columns.weight;
                columns.last[from..].iter().map(|column| to_field(column)).collect()
            }
            _ => {
                let mut sum = vec![F::zero(); activation * rows];
                for (l, limb) in w.limbs.iter().enumerate() {
                    let scale = limb_scale(d, l);
                    for (s, v) in sum.iter_mut().zip(limb) {
                        *s += scale * from_i64(*v);
                    }
                }
                sum.chunks(rows).map(<[F]>::to_vec).collect()
            }
        };
        for (column, weights) in integers.into_iter().zip(weights.chunks(rows)) {
            products.push(Product::new(column, weights.to_vec()));
        }
    }
    (products, linear)
}

fn add_image_weights(d: &Descriptor, coefficient: F, z: F, weights: &mut [F]) {
    let block = &d.blocks[d.image.block];
    let (rows, inside) = image_weights(d, z);
    let total = block.bits();
    // Cell offsets of composite indices over some axes, each digit at its axis's place.
    let offsets = |axes: &[usize]| {
        let mut cells = vec![0usize];
        for &axis in axes {
            let shift = total - block.slice(axis).end;
            cells = cells
                .iter()
                .flat_map(|&c| (0..block.axes[axis]).map(move |i| c | (i << shift)))
                .collect();
        }
        cells
    };
    let (ys, xs, cs) =
        (offsets(&d.image.row_axes), offsets(&d.image.column_axes), offsets(&d.image.channel_axes));
    for (y, row) in ys.iter().zip(&rows) {
        let row = coefficient * row;
        for (x, at) in xs.iter().enumerate() {
            for (c, channel) in cs.iter().enumerate() {
                weights[y + at + channel] += row * inside[x * d.image.channels + c];
            }
        }
    }
}
