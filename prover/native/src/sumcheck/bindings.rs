//! What Node sees of the sumcheck backend. Integers cross as Int32Array, or Float64Array where they may
//! need up to 52 bits.

// The attribute macro of napi generates the foreign functions, which are unsafe by nature.
#![allow(unsafe_code, missing_docs)]

use super::buckets::is_vector;
use super::descriptor::Key;
use super::device::Device;
use super::error::Error as ProofError;
use super::execute::Execution;
use super::fallback::{execute_or_fall_back, prove_or_fall_back};
use super::field::{F, POINT_BYTES, reduce};
use super::kzg::{Srs, g2_bytes, read_g2};
use super::proof::points_bytes;
use super::prover::{
    Checks, Phase, ProvingKey, Request, Witness, commit_columns, commit_image, powers_needed,
};
use super::verifier::{Statement, verify};
use crate::gpu::card::Card;
use crate::gpu::driver::Driver;
use crate::gpu::error::CardError;
use crate::gpu::self_test::{LONG, self_test};
use crate::points::read_points;
use crate::ptau::{PowersOfTau, TAU_G1, TAU_G2};
use ark_bn254::{g1, g2};
use napi::bindgen_prelude::{AsyncTask, Buffer, Float64Array, Int32Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Error, Result, Status, Task};
use napi_derive::napi;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Job<T> = Box<dyn FnOnce() -> std::result::Result<T, ProofError> + Send>;

/// A job for Node's thread pool.
pub struct Work<T>(Option<Job<T>>);

impl<T: Send + 'static> Work<T> {
    fn start(
        job: impl FnOnce() -> std::result::Result<T, ProofError> + Send + 'static,
    ) -> AsyncTask<Self>
    where
        Self: Task,
    {
        AsyncTask::new(Self(Some(Box::new(job))))
    }

    fn run(&mut self) -> Result<T> {
        let job = self.0.take().ok_or_else(|| Error::from_reason("a task runs once"))?;
        catch_unwind(AssertUnwindSafe(job))
            .map_err(|_| Error::from_reason("the native code failed: this is a bug of platemark"))?
            .map_err(|error| Error::from_reason(error.to_string()))
    }
}

macro_rules! task {
    ($type:ty) => {
        impl Task for Work<$type> {
            type Output = $type;
            type JsValue = $type;
            fn compute(&mut self) -> Result<$type> {
                self.run()
            }
            fn resolve(&mut self, _: Env, output: $type) -> Result<$type> {
                Ok(output)
            }
        }
    };
}

#[napi(object)]
pub struct SumcheckPowers {
    /// 64 bytes a power.
    pub powers: Buffer,
    /// 128 bytes.
    pub tau_g2: Buffer,
}

#[napi(object)]
pub struct SumcheckPhase {
    pub name: String,
    pub seconds: f64,
    /// Where it was done.
    pub device: String,
}

#[napi(object)]
pub struct SumcheckProof {
    pub proof: Buffer,
    /// Row-major height × width × channels.
    pub pixels: Buffer,
    pub phases: Vec<SumcheckPhase>,
    /// The device that made it.
    pub device: String,
    /// Why another device than the one asked for made it.
    pub notes: Vec<String>,
}

/// A card that the driver lists.
#[napi(object)]
pub struct SumcheckCard {
    /// Its name as `device`: cuda:0, cuda:1, …
    pub device: String,
    pub name: String,
    /// In bytes.
    pub memory: f64,
    /// Seconds of the self-test, which compares it with the CPU.
    pub self_test: Option<f64>,
    /// Why it is not used, if so.
    pub problem: Option<String>,
}

#[napi(object)]
pub struct SumcheckCards {
    /// The CUDA version of the driver.
    pub driver: Option<String>,
    /// Why there is no driver or no list, if so.
    pub problem: Option<String>,
    pub cards: Vec<SumcheckCard>,
}

task!(SumcheckPowers);
task!(SumcheckCards);
task!(SumcheckProof);
task!(Buffer);
task!(Option<String>);

#[napi(object)]
pub struct SumcheckProveInput {
    /// Canonical JSON of the verifying key.
    pub key: String,
    pub powers: Buffer,
    /// All columns of the key group.
    pub key_cells: Float64Array,
    /// All columns of the first group, the multiplicities zero; without them the model is executed here.
    pub first: Option<Int32Array>,
    pub seed: Buffer,
    pub context: Buffer,
    /// With `first` only.
    pub pixels: Option<Buffer>,
    pub latent: Buffer,
    /// What was chosen besides the seed, where the key has conditions.
    pub conditions: Option<Buffer>,
    /// A row of the table region that is counted once too often; for tests.
    pub forged_row: Option<u32>,
    /// One of the six values of the opening to lie about; for tests.
    pub forged_value: Option<u32>,
    /// False: prove whatever is given, for tests of what verifiers reject.
    pub checked: bool,
    /// cpu (as without), cuda, cuda:1 or auto.
    pub device: Option<String>,
}

#[napi(object)]
pub struct SumcheckVerifyInput {
    pub key: String,
    pub seed: Buffer,
    pub context: Buffer,
    /// The pixels, or the 32 bytes of the image hash where the key binds images by a commitment.
    pub image: Buffer,
    pub latent: Buffer,
    /// What was chosen besides the seed, where the key has conditions.
    pub conditions: Option<Buffer>,
    pub proof: Buffer,
}

fn integers(values: &Float64Array) -> Vec<i64> {
    values.iter().map(|v| *v as i64).collect()
}

fn widen(values: &[i32]) -> Vec<i64> {
    values.iter().map(|v| i64::from(*v)).collect()
}

fn chosen(conditions: &Option<Buffer>) -> Vec<u8> {
    conditions.as_ref().map(|bytes| bytes.to_vec()).unwrap_or_default()
}

fn word(bytes: &[u8]) -> std::result::Result<[u8; 32], ProofError> {
    bytes.try_into().map_err(|_| ProofError::PublicInput("expected 32 bytes".into()))
}

/// Powers of a random τ that is forgotten at once: insecure all the same, nobody can know that it was.
#[napi]
pub fn sumcheck_development_powers(column_bits: u32) -> AsyncTask<Work<SumcheckPowers>> {
    Work::start(move || {
        let mut entropy = [0u8; 64];
        getrandom::fill(&mut entropy).map_err(|e| ProofError::Witness(e.to_string()))?;
        let tau: F = reduce(&entropy);
        let srs = Srs::insecure(tau, column_bits.min(28) as usize);
        Ok(SumcheckPowers {
            powers: srs.power_bytes().into(),
            tau_g2: g2_bytes(&srs.tau_g2).to_vec().into(),
        })
    })
}

/// The powers of a `.ptau` file that was checked before.
#[napi]
pub fn sumcheck_ptau_powers(path: String, column_bits: u32) -> AsyncTask<Work<SumcheckPowers>> {
    Work::start(move || {
        let read = || -> crate::error::Result<SumcheckPowers> {
            let ptau = PowersOfTau::open(std::path::Path::new(&path))?;
            let count = 1usize << column_bits.min(ptau.power);
            let powers = read_points::<g1::Config>(&mut ptau.file.read(TAU_G1.0)?, count)?;
            let g2 = read_points::<g2::Config>(&mut ptau.file.read(TAU_G2.0)?, 2)?;
            Ok(SumcheckPowers {
                powers: points_bytes(&powers).into(),
                tau_g2: g2_bytes(&g2[1]).to_vec().into(),
            })
        };
        read().map_err(|e| ProofError::Key(format!("{e}: {}", e.found().unwrap_or_default())))
    })
}

/// Commitments of all columns of `cells`, 64 bytes each.
#[napi]
pub fn sumcheck_commit(
    powers: Buffer,
    column_bits: u32,
    cells: Float64Array,
) -> AsyncTask<Work<Buffer>> {
    let cells = integers(&cells);
    let powers = powers.to_vec();
    Work::start(move || {
        let rows = 1usize << column_bits.min(28);
        let srs = Srs::read(&powers, Default::default())?;
        if srs.powers.len() < rows || !cells.len().is_multiple_of(rows) {
            return Err(ProofError::Key("column length".into()));
        }
        Ok(points_bytes(&commit_columns(&srs, column_bits as usize, &cells)).into())
    })
}

/// Commitment to an image, 64 bytes (protocol.md §3.5).
#[napi]
pub fn sumcheck_image_commitment(powers: Buffer, pixels: Buffer) -> AsyncTask<Work<Buffer>> {
    let count = pixels.len();
    let powers = powers.get(..count * POINT_BYTES).unwrap_or(&[]).to_vec();
    let pixels = pixels.to_vec();
    Work::start(move || {
        let srs = Srs::read(&powers, Default::default())?;
        Ok(points_bytes(&[commit_image(&srs, &pixels)]).into())
    })
}

/// Names a phase of the prover to JavaScript.
type PhaseCallback = ThreadsafeFunction<String, (), String, Status, false>;

/// Proves; unless `checked` is false the proof was verified. `on_phase` is called with the name of every
/// phase when it begins.
#[napi]
pub fn sumcheck_prove(
    input: SumcheckProveInput,
    on_phase: Option<PhaseCallback>,
) -> AsyncTask<Work<SumcheckProof>> {
    let cells = integers(&input.key_cells);
    let given = input.first.as_ref().map(|first| Execution {
        first: widen(first),
        pixels: input.pixels.as_ref().map_or(Vec::new(), |pixels| pixels.to_vec()),
    });
    let (powers, seed, context, latent) =
        (input.powers.to_vec(), input.seed.to_vec(), input.context.to_vec(), input.latent.to_vec());
    let conditions = chosen(&input.conditions);
    let checks = if input.checked { Checks::All } else { Checks::None };
    let json = input.key;
    let device = input.device;
    let forged_row = input.forged_row.map(|row| row as usize);
    let forged_value = input.forged_value.map(|value| value as usize);
    Work::start(move || {
        let key = Key::parse(&json)?;
        let count = powers_needed(&key.descriptor);
        let srs = Srs::read(powers.get(..count * POINT_BYTES).unwrap_or(&[]), key.tau_g2)?;
        drop(powers);
        let pk = ProvingKey { key, srs, cells };
        let progress = |name: &str| {
            if let Some(callback) = &on_phase {
                callback.call(name.into(), ThreadsafeFunctionCallMode::NonBlocking);
            }
        };
        let device = match &device {
            None => Device::Cpu,
            Some(text) => Device::parse(text)?
                .ok_or_else(|| ProofError::PublicInput(format!("no such device: {text}")))?,
        };
        let mut executed = None;
        let Execution { first, pixels } = match given {
            Some(given) => given,
            None => {
                progress("execute");
                let (execution, phase) = execute_or_fall_back(&pk, &latent, &conditions, &device)?;
                executed = Some(phase);
                execution
            }
        };
        let witness = Witness { first, forged_row, forged_value };
        let request = Request {
            seed: word(&seed)?,
            context: word(&context)?,
            pixels: &pixels,
            latent: &latent,
            conditions: &conditions,
        };
        let made = prove_or_fall_back(&pk, witness, &request, checks, &device, &progress)?;
        let remark = executed.as_ref().and_then(Phase::remark);
        Ok(SumcheckProof {
            proof: made.proof.into(),
            pixels: pixels.into(),
            device: made.device,
            notes: remark.into_iter().chain(made.notes).collect(),
            phases: executed
                .into_iter()
                .chain(made.timings)
                .map(|phase| SumcheckPhase {
                    name: phase.name.into(),
                    seconds: phase.seconds,
                    device: phase.device,
                })
                .collect(),
        })
    })
}

/// Whether points are added with AVX-512 IFMA: proofs take about half as long then.
#[napi]
pub fn sumcheck_has_vector_units() -> bool {
    is_vector()
}

/// The cards of this machine, each compared with the CPU: a few seconds.
#[napi]
pub fn sumcheck_cards() -> AsyncTask<Work<SumcheckCards>> {
    Work::start(|| {
        let mut found = SumcheckCards { driver: None, problem: None, cards: Vec::new() };
        let mut list = || {
            let driver = Driver::load()?;
            found.driver = Some(driver.cuda_version()?);
            for info in driver.cards()? {
                let tested =
                    Card::open(&driver, info.ordinal).and_then(|card| self_test(&card, LONG));
                found.cards.push(SumcheckCard {
                    device: format!("cuda:{}", info.ordinal),
                    name: info.name,
                    memory: info.memory as f64,
                    self_test: tested.as_ref().ok().map(|report| report.iter().map(|r| r.1).sum()),
                    problem: tested.err().map(|error| error.to_string()),
                });
            }
            Ok::<(), CardError>(())
        };
        found.problem = list().err().map(|error| error.to_string());
        Ok(found)
    })
}

/// `null` when valid, else the reason.
#[napi]
pub fn sumcheck_verify(input: SumcheckVerifyInput) -> AsyncTask<Work<Option<String>>> {
    let conditions = chosen(&input.conditions);
    let (seed, context, image, latent, proof) = (
        input.seed.to_vec(),
        input.context.to_vec(),
        input.image.to_vec(),
        input.latent.to_vec(),
        input.proof.to_vec(),
    );
    let json = input.key;
    Work::start(move || {
        let check = || {
            let key = Key::parse(&json)?;
            let statement = Statement {
                seed: word(&seed)?,
                context: word(&context)?,
                image: &image,
                latent: &latent,
                conditions: &conditions,
            };
            verify(&key, &statement, &proof)
        };
        Ok(check().err().map(|error| error.to_string()))
    })
}

/// Whether 128 bytes are a G2 point of the right subgroup.
#[napi]
pub fn sumcheck_is_g2(point: Buffer) -> bool {
    read_g2(&point).is_some()
}
