//! The stored proofs: honest ones are accepted, forged ones rejected for their reason, and no bytes
//! whatever make the verifier panic.

use platemark_native::sumcheck::descriptor::Key;
use platemark_native::sumcheck::error::Error;
use platemark_native::sumcheck::verifier::{Statement, verify};
use serde_json::Value;

/// Of models without conditions, and with labels and vectors.
const FILES: [&str; 2] = ["vectors.json", "conditions.json"];

fn vectors(file: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/sumcheck");
    let text = std::fs::read_to_string(format!("{folder}/{file}")).expect("vectors");
    serde_json::from_str(&text).expect("JSON")
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hex").strip_prefix("0x").expect("0x");
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).expect("hex"))
        .collect()
}

struct Case {
    key: Result<Key, Error>,
    seed: [u8; 32],
    context: [u8; 32],
    image: Vec<u8>,
    latent: Vec<u8>,
    conditions: Vec<u8>,
    proof: Vec<u8>,
}

impl Case {
    /// A positive vector with members replaced. Sorted members are the canonical text of a key.
    fn new(base: &Value, change: &Value) -> Self {
        let member = |name: &str| bytes(change.get(name).unwrap_or(&base[name]));
        let word = |name: &str| member(name).try_into().expect("32 bytes");
        let mut proof = member("proof");
        for patch in change.get("patches").and_then(Value::as_array).into_iter().flatten() {
            let offset = patch["offset"].as_u64().expect("offset") as usize;
            let new = bytes(&patch["bytes"]);
            proof[offset..offset + new.len()].copy_from_slice(&new);
        }
        let mut key = base["key"].clone();
        for (name, value) in change.get("key").and_then(Value::as_object).into_iter().flatten() {
            key[name] = value.clone();
        }
        Self {
            key: Key::parse(&key.to_string()),
            seed: word("seed"),
            context: word("context"),
            image: member("image"),
            latent: member("latent"),
            conditions: change
                .get("conditions")
                .or_else(|| base.get("conditions"))
                .map(bytes)
                .unwrap_or_default(),
            proof,
        }
    }

    fn verdict(&self, proof: &[u8]) -> Option<String> {
        let statement = Statement {
            seed: self.seed,
            context: self.context,
            image: &self.image,
            latent: &self.latent,
            conditions: &self.conditions,
        };
        let check = || verify(self.key.as_ref().map_err(Error::clone)?, &statement, proof);
        check().err().map(|error| error.to_string())
    }
}

#[test]
fn honest_proofs_are_accepted() {
    for vectors in FILES.map(vectors) {
        for vector in vectors["positive"].as_array().expect("positive") {
            let case = Case::new(vector, &Value::Null);
            assert_eq!(case.verdict(&case.proof), None, "{}", vector["name"]);
        }
    }
}

#[test]
fn forged_proofs_are_rejected_for_their_reason() {
    for vectors in FILES.map(vectors) {
        for change in vectors["negative"].as_array().expect("negative") {
            let base = change["base"].as_u64().expect("base") as usize;
            let case = Case::new(&vectors["positive"][base], change);
            let reason = change["reason"].as_str().map(str::to_string);
            assert_eq!(case.verdict(&case.proof), reason, "{}", change["name"]);
        }
    }
}

/// xorshift64.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn random_bytes_never_pass_and_never_panic() {
    let vectors = vectors(FILES[0]);
    let case = Case::new(&vectors["positive"][0], &Value::Null);
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..300 {
        let mut proof = case.proof.clone();
        for _ in 0..=next(&mut state) % 4 {
            let at = next(&mut state) as usize % proof.len();
            match next(&mut state) % 4 {
                0 => proof[at] ^= 1 << (next(&mut state) % 8),
                1 => proof[at] = next(&mut state) as u8,
                2 => proof.truncate(at),
                _ => proof.insert(at, next(&mut state) as u8),
            }
            if proof.is_empty() {
                break;
            }
        }
        if proof != case.proof {
            assert!(case.verdict(&proof).is_some());
        }
    }
}

#[test]
fn altered_keys_never_panic() {
    for vectors in FILES.map(vectors) {
        alter_keys(&vectors);
    }
}

fn alter_keys(vectors: &Value) {
    let honest = vectors["positive"][0]["key"].to_string();
    let mut state = 0x1234_5678_9abc_def1;
    for _ in 0..2000 {
        let mut bytes = honest.clone().into_bytes();
        for _ in 0..=next(&mut state) % 3 {
            let at = next(&mut state) as usize % bytes.len();
            bytes[at] = b"0123456789,[]{}:\"-"[next(&mut state) as usize % 18];
        }
        let Ok(text) = String::from_utf8(bytes) else { continue };
        if let Ok(key) = Key::parse(&text) {
            let case = Case { key: Ok(key), ..Case::new(&vectors["positive"][0], &Value::Null) };
            // Only what the digest covers may differ; where it does, the proof is not of this key.
            assert!(text == honest || case.verdict(&case.proof).is_some());
        }
    }
}
