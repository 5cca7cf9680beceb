//! The lookups of a witness (protocol.md §6.4): which table row every cell reads, and the inverses of
//! α minus a fingerprint that prove it.

use super::buckets::{Entry, bucket_sums};
use super::descriptor::{Descriptor, Node, Region};
use super::error::Error;
use super::field::{F, from_i64};
use super::kzg::Srs;
use super::msm::msm;
use super::multilinear::invert_all;
use super::prover::{Checks, ProvingKey};
use ark_bn254::G1Affine;
use ark_ec::CurveGroup;
use ark_ff::Zero;
use rayon::prelude::*;
use std::ops::Range;

/// Which rows the cells read.
pub struct Lookups {
    /// For e = 0 … L, of every cell of the activation regions: its row in the table region. From 2^n_T
    /// on: an index into the strays.
    pub rows: Vec<Vec<u32>>,
    /// How many cells read each row.
    pub multiplicity: Vec<i64>,
    /// Triples that no table has, in proofs that are meant to be rejected.
    strays: Vec<[i64; 3]>,
}

/// α − t and its inverse of every row, strays at the end.
pub struct Fractions {
    /// α − t.
    pub differences: Vec<F>,
    /// 1/(α − t) of the rows that are read, 0 for others.
    pub inverses: Vec<F>,
    /// g = m/(α − t).
    pub table: Vec<F>,
}

/// A column of the second group: values that many cells have, and a run of g.
pub struct ColumnParts {
    /// Different values.
    pub used: Vec<F>,
    /// Which rows of the column have which of them.
    pub entries: Vec<Entry>,
    /// Where in the column a part of g begins, and which.
    pub table: Option<(usize, Range<usize>)>,
}

/// The address range of a region as a slice.
fn region(values: &[i64], offset: usize, bits: usize) -> &[i64] {
    &values[Region { offset, bits }.range()]
}

/// Looks every cell of the activation regions up.
pub fn find_rows(pk: &ProvingKey, first: &[i64], checks: Checks) -> Result<Lookups, Error> {
    let d = &pk.key.descriptor;
    let a = &d.activation;
    let outputs = region(&pk.cells, d.table.output, d.table.bits);
    let quotients = region(first, a.quotient, a.bits);
    let results = region(first, a.output, a.bits);
    let limb_values: Vec<&[i64]> =
        a.limbs.iter().map(|&offset| region(first, offset, a.bits)).collect();
    // A row that belongs to no segment: it stands for (0, 0, 0).
    let zero_row = d.segments.iter().map(|s| s.offset + (1 << s.bits)).max().unwrap_or(0);
    let mut rows = vec![vec![zero_row as u32; 1 << a.bits]; 1 + d.limbs];
    let mut strays = Vec::new();
    let mut stray = |tag: i64, value: i64, out: i64, cell: usize| -> Result<u32, Error> {
        if checks == Checks::All {
            return Err(Error::Unsatisfied(format!(
                "cell {cell}: ({value}, {out}) is not in table {tag}"
            )));
        }
        strays.push([tag, value, out]);
        Ok((outputs.len() + strays.len() - 1) as u32)
    };
    let mut covered = vec![false; 1 << a.bits];
    for node in &d.nodes {
        let Node::Affine { output, table, limbs, .. } = node else {
            continue;
        };
        let block = &d.blocks[*output];
        let segment = &d.segments[*table];
        for local in block.cells() {
            let cell = block.offset + local;
            covered[cell] = true;
            let (q, out) = (quotients[cell], results[cell]);
            let index = q.wrapping_sub(segment.first);
            let row = segment.offset.wrapping_add(index as usize);
            rows[0][cell] = if (0..1 << segment.bits).contains(&index) && outputs[row] == out {
                row as u32
            } else {
                stray(*table as i64 + 1, q, out, cell)?
            };
            for (l, &limb) in limbs.iter().enumerate() {
                let value = limb_values[l][cell];
                rows[1 + l][cell] = match usize::try_from(limb) {
                    Ok(s) if (0..1 << d.segments[s].bits).contains(&value) => {
                        (d.segments[s].offset + value as usize) as u32
                    }
                    Err(_) if value == 0 => zero_row as u32,
                    _ => stray(limb + 1, value, 0, cell)?,
                };
            }
        }
    }
    for cell in (0..covered.len()).filter(|&cell| !covered[cell]) {
        if quotients[cell] != 0 || results[cell] != 0 {
            rows[0][cell] = stray(0, quotients[cell], results[cell], cell)?;
        }
        for (own, values) in rows[1..].iter_mut().zip(&limb_values) {
            if values[cell] != 0 {
                own[cell] = stray(0, values[cell], 0, cell)?;
            }
        }
    }
    let mut multiplicity = vec![0i64; outputs.len()];
    for row in rows.iter().flatten() {
        if let Some(count) = multiplicity.get_mut(*row as usize) {
            *count += 1;
        }
    }
    Ok(Lookups { rows, multiplicity, strays })
}

impl Lookups {
    /// Everything that β and α decide.
    pub fn fractions(&self, pk: &ProvingKey, beta: F, alpha: F) -> Fractions {
        let d = &pk.key.descriptor;
        let outputs = region(&pk.cells, d.table.output, d.table.bits);
        let beta2 = beta * beta;
        let mut differences = vec![alpha; outputs.len()];
        for (i, segment) in d.segments.iter().enumerate() {
            let tag = alpha - F::from(i as u64 + 1);
            let from = segment.offset;
            differences[from..from + (1 << segment.bits)]
                .par_iter_mut()
                .with_min_len(1024)
                .enumerate()
                .for_each(|(row, value)| {
                    let index = from_i64(segment.first + row as i64);
                    *value = tag - beta * index - beta2 * from_i64(outputs[from + row]);
                });
        }
        differences.extend(self.stray_differences(beta, alpha));
        let used: Vec<usize> = (0..differences.len())
            .filter(|&row| self.multiplicity.get(row).is_none_or(|count| *count != 0))
            .collect();
        let mut needed: Vec<F> = used.iter().map(|&row| differences[row]).collect();
        invert_all(&mut needed);
        let mut inverses = vec![F::zero(); differences.len()];
        for (row, inverse) in used.into_iter().zip(needed) {
            inverses[row] = inverse;
        }
        let table = self
            .multiplicity
            .par_iter()
            .with_min_len(4096)
            .zip(&inverses)
            .map(|(count, i)| if *count == 0 { F::zero() } else { from_i64(*count) * i })
            .collect();
        Fractions { differences, inverses, table }
    }

    /// α − t of triples that no table has.
    pub fn stray_differences(&self, beta: F, alpha: F) -> Vec<F> {
        let fingerprint = |[tag, value, out]: &[i64; 3]| {
            from_i64(*tag) + beta * (from_i64(*value) + beta * from_i64(*out))
        };
        self.strays.iter().map(|triple| alpha - fingerprint(triple)).collect()
    }

    /// The second group: h_e and g in their regions.
    pub fn columns(&self, d: &Descriptor, fractions: &Fractions) -> Vec<F> {
        let mut cells = vec![F::zero(); d.columns.second << d.column_bits];
        for (rows, &offset) in self.rows.iter().zip(&d.activation.inverses) {
            cells[offset..offset + rows.len()]
                .par_iter_mut()
                .with_min_len(4096)
                .zip(rows)
                .for_each(|(cell, row)| *cell = fractions.inverses[*row as usize]);
        }
        let from = d.table.inverse;
        cells[from..from + fractions.table.len()].copy_from_slice(&fractions.table);
        cells
    }

    /// What lies in a column of the second group, in terms of powers of τ.
    pub fn column_parts(
        &self,
        d: &Descriptor,
        fractions: &Fractions,
        column: usize,
    ) -> ColumnParts {
        let height = d.rows();
        let start = column * height;
        // The part of a region that lies in this column.
        let part = |offset: usize, length: usize| {
            let from = offset.max(start);
            let to = (offset + length).min(start + height);
            (from < to).then(|| (from - start, from - offset..to - offset))
        };
        let mut slots = vec![u32::MAX; fractions.inverses.len()];
        let mut used = Vec::new();
        let mut entries = Vec::new();
        for (rows, &offset) in self.rows.iter().zip(&d.activation.inverses) {
            let Some((at, range)) = part(offset, rows.len()) else { continue };
            for (i, &row) in rows[range].iter().enumerate() {
                let slot = &mut slots[row as usize];
                if *slot == u32::MAX {
                    *slot = used.len() as u32;
                    used.push(fractions.inverses[row as usize]);
                }
                let point = (at + i) as u32;
                entries.push(Entry { bucket: *slot, point, negative: false });
            }
        }
        ColumnParts { used, entries, table: part(d.table.inverse, fractions.table.len()) }
    }

    /// Commitments of the second group's columns. Cells that read one row have one value: their points
    /// are added before anything is multiplied.
    pub fn commit(&self, d: &Descriptor, srs: &Srs, fractions: &Fractions) -> Vec<G1Affine> {
        (0..d.columns.second)
            .into_par_iter()
            .map(|column| {
                let ColumnParts { used, entries, table } = self.column_parts(d, fractions, column);
                let shared = || msm(&bucket_sums(&srs.powers, &entries, used.len()), &used);
                let table = || match table {
                    None => G1Affine::identity(),
                    Some((at, range)) => {
                        msm(&srs.powers[at..at + range.len()], &fractions.table[range])
                    }
                };
                let (shared, table) = rayon::join(shared, table);
                (shared + table).into_affine()
            })
            .collect()
    }
}
