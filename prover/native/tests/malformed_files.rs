//! No file, however broken, panics, passes a check or leaves a half-written key behind.

use std::fs;
use std::path::{Path, PathBuf};

use platemark_native::error::{NativeError, Result};
use platemark_native::groth16_setup::{DEVELOPMENT_MARK, SetupSummary, development_setup};
use platemark_native::powers_of_tau::{Checked, check, write_development};

const POWER: u32 = 3;
/// Bytes 64 … 67 are the ceremony power, the one number that nothing else in the file depends on.
const CEREMONY_POWER: std::ops::Range<usize> = 64..68;

/// A folder of its own that disappears.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("platemark-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Numbers that look random and are the same in every run (Knuth's multiplier).
fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(seed), |state| {
        Some(state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407))
    })
    .skip(1)
    .map(|state| state >> 24)
}

fn run_check(path: &Path) -> Result<Checked> {
    check(path, &|_, _, _| {})
}

fn development_file(folder: &Folder) -> Vec<u8> {
    let path = folder.0.join("good.ptau");
    write_development(&path, POWER, &|_, _, _| {}).unwrap();
    fs::read(path).unwrap()
}

/// Offset of the content and length of a section.
fn section(bytes: &[u8], wanted: u32) -> (usize, usize) {
    let mut at = 12;
    loop {
        let id = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let length = u64::from_le_bytes(bytes[at + 4..at + 12].try_into().unwrap()) as usize;
        if id == wanted {
            return (at + 12, length);
        }
        at += 12 + length;
    }
}

#[test]
fn development_powers_pass_and_are_known_as_such() {
    let folder = Folder::new("good");
    let good = development_file(&folder);
    let checked = run_check(&folder.file("a.ptau", &good)).unwrap();
    assert_eq!((checked.power, checked.ceremony_power, checked.prepared), (POWER, POWER, true));
    assert!(checked.contributions.is_empty());
    assert_eq!(checked.bytes, good.len() as u64);
}

#[test]
fn every_changed_byte_is_noticed() {
    let folder = Folder::new("flip");
    let good = development_file(&folder);
    let mut random = numbers(1);
    for _ in 0..120 {
        let at = random.next().unwrap() as usize % good.len();
        let mut bad = good.clone();
        bad[at] ^= 1 << (random.next().unwrap() % 8);
        if CEREMONY_POWER.contains(&at) {
            continue;
        }
        let error = run_check(&folder.file("flip.ptau", &bad)).expect_err(&format!("byte {at}"));
        assert!(matches!(error, NativeError::Malformed { .. }), "byte {at}: {error}");
    }
}

#[test]
fn truncated_and_extended_files_are_refused() {
    let folder = Folder::new("cut");
    let good = development_file(&folder);
    for length in numbers(2).take(30).map(|n| n as usize % good.len()).chain(0..40) {
        assert!(run_check(&folder.file("cut.ptau", &good[..length])).is_err(), "{length} bytes");
    }
    let longer = [good, vec![0]].concat();
    assert!(run_check(&folder.file("long.ptau", &longer)).is_err());
    assert!(matches!(run_check(&folder.0.join("none.ptau")), Err(NativeError::Io { .. })));
}

#[test]
fn valid_points_in_wrong_places_are_refused() {
    let folder = Folder::new("swap");
    let good = development_file(&folder);
    for id in [2, 3, 4, 5, 12, 13, 14, 15] {
        let (offset, length) = section(&good, id);
        let size = if id == 3 || id == 13 { 128 } else { 64 };
        // In sections 12 to 15, points 0 and 1 begin levels 2^0 and 2^1.
        for (i, j) in [(0, 1), (1, 2), (length / size - 2, length / size - 1)] {
            let mut bad = good.clone();
            for byte in 0..size {
                bad.swap(offset + i * size + byte, offset + j * size + byte);
            }
            assert!(run_check(&folder.file("swap.ptau", &bad)).is_err(), "section {id}: {i}, {j}");
        }
    }
    // β·G2 of another file.
    let other = development_file(&folder);
    let (offset, length) = section(&good, 6);
    let mut bad = good.clone();
    bad[offset..offset + length].copy_from_slice(&other[offset..offset + length]);
    let error = run_check(&folder.file("beta.ptau", &bad)).expect_err("another beta");
    assert!(error.to_string().contains("section 6"), "{error}");
}

/// x·x = y and x·y = z with z a public output: 4 wires, 2 constraints.
fn cube() -> Vec<u8> {
    let modulus: [u64; 4] =
        [0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029];
    let prime: Vec<u8> = modulus.iter().flat_map(|limb| limb.to_le_bytes()).collect();
    let words =
        |values: &[u32]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
    let mut one = vec![0; 32];
    one[0] = 1;
    let form = |wire: u32| [words(&[1, wire]), one.clone()].concat();
    let section = |id: u32, content: Vec<u8>| {
        [words(&[id]), (content.len() as u64).to_le_bytes().to_vec(), content].concat()
    };
    [
        b"r1cs".to_vec(),
        words(&[1, 3]),
        section(1, [words(&[32]), prime, words(&[4, 1, 0, 1, 4, 0, 2])].concat()),
        section(2, [form(2), form(2), form(3), form(2), form(3), form(1)].concat()),
        section(3, (0..4u64).flat_map(u64::to_le_bytes).collect()),
    ]
    .concat()
}

fn run_setup(r1cs: &Path, zkey: &Path) -> Result<SetupSummary> {
    development_setup(r1cs, zkey, &|_, _, _| {})
}

#[test]
fn a_development_key_has_all_sections_and_its_mark() {
    let folder = Folder::new("setup");
    let zkey = folder.0.join("key.zkey");
    let summary = run_setup(&folder.file("cube.r1cs", &cube()), &zkey).unwrap();
    assert_eq!(summary, SetupSummary { constraints: 2, wires: 4, public: 1, domain: 4 });
    let key = fs::read(&zkey).unwrap();
    // 3 entries of a and b a constraint row, none of c, and a row for each of the 2 public wires.
    let lengths =
        [4, 84 + 3 * 64 + 3 * 128, 2 * 64, 4 + 6 * 44, 4 * 64, 4 * 64, 4 * 128, 2 * 64, 4 * 64, 68];
    for (id, length) in (1..).zip(lengths) {
        assert_eq!(section(&key, id).1, length, "section {id}");
    }
    assert!(key[section(&key, 10).0..].starts_with(DEVELOPMENT_MARK));
}

#[test]
fn broken_constraint_systems_leave_no_key() {
    let folder = Folder::new("r1cs");
    let good = cube();
    let mut random = numbers(3);
    for round in 0..600 {
        let mut bad = good.clone();
        if round % 3 == 0 {
            bad.truncate(random.next().unwrap() as usize % bad.len());
        } else {
            let at = random.next().unwrap() as usize % bad.len();
            bad[at] ^= 1 << (random.next().unwrap() % 8);
        }
        let zkey = folder.0.join("bad.zkey");
        let result = run_setup(&folder.file("bad.r1cs", &bad), &zkey);
        assert_eq!(result.is_ok(), zkey.exists());
        let _ = fs::remove_file(zkey);
    }
}
