//! What Node sees. Work runs on a thread of Node's pool and on rayon's; JavaScript is called back for
//! progress and with the result.
//!
//! An error's message has the four parts of a `PlatemarkError` (message, expected, found, fix),
//! separated by the ASCII unit separator; `prover/native.ts` takes them apart.

// The attribute macro of napi generates the foreign functions, which are unsafe by nature.
#![allow(unsafe_code, missing_docs)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use napi::bindgen_prelude::{AsyncTask, Buffer, FnArgs};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Error, Status, Task};
use napi_derive::napi;
use sha3::{Digest, Keccak256};

use crate::error::NativeError;
use crate::{groth16_setup, powers_of_tau};

type ProgressArguments = FnArgs<(String, f64, f64)>;

/// `(step, done, total) => void`; does not keep the process alive.
type ProgressFunction =
    ThreadsafeFunction<ProgressArguments, (), ProgressArguments, Status, false, true>;

type Action<T> = Box<dyn FnOnce(crate::Progress) -> crate::error::Result<T> + Send>;

pub struct Work<T> {
    action: Option<Action<T>>,
    progress: ProgressFunction,
}

impl<T> Work<T> {
    fn start(
        progress: ProgressFunction,
        action: impl FnOnce(crate::Progress) -> crate::error::Result<T> + Send + 'static,
    ) -> AsyncTask<Self>
    where
        Self: Task,
    {
        AsyncTask::new(Self { action: Some(Box::new(action)), progress })
    }

    fn run(&mut self) -> napi::Result<T> {
        let action = self.action.take().expect("a task runs once");
        let report = |step: &str, done: u64, total: u64| {
            let arguments = FnArgs::from((step.to_string(), done as f64, total as f64));
            self.progress.call(arguments, ThreadsafeFunctionCallMode::NonBlocking);
        };
        // A panic is a bug of ours; it must not take the process with it.
        catch_unwind(AssertUnwindSafe(|| action(&report)))
            .unwrap_or_else(|panic| {
                let reason = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied())
                    .unwrap_or("panic");
                Err(NativeError::Unusable {
                    message: "The native code failed: this is a bug of platemark.".into(),
                    expected: "no failure".into(),
                    found: reason.into(),
                    fix: "Report it with the file that it happened with.".into(),
                })
            })
            .map_err(describe)
    }
}

fn describe(error: NativeError) -> Error {
    let parts = [
        error.to_string(),
        error.expected().unwrap_or_default().to_string(),
        error.found().unwrap_or_default(),
        error.fix().unwrap_or_default().to_string(),
    ];
    Error::from_reason(parts.map(|part| part.replace('\u{1f}', " ")).join("\u{1f}"))
}

#[napi(object)]
pub struct DevelopmentSetupSummary {
    pub constraints: u32,
    pub wires: u32,
    pub public_signals: u32,
    pub domain: u32,
}

#[napi(object)]
pub struct PowersOfTauSummary {
    pub power: u32,
    pub ceremony_power: u32,
    pub prepared: bool,
    pub contributions: Vec<String>,
    pub sha256: String,
    #[napi(js_name = "blake2b")]
    pub blake2b: String,
    pub bytes: f64,
    pub seconds: f64,
}

impl Task for Work<DevelopmentSetupSummary> {
    type Output = DevelopmentSetupSummary;
    type JsValue = DevelopmentSetupSummary;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        self.run()
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(output)
    }
}

impl Task for Work<PowersOfTauSummary> {
    type Output = PowersOfTauSummary;
    type JsValue = PowersOfTauSummary;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        self.run()
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(output)
    }
}

impl Task for Work<()> {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<Self::Output> {
        self.run()
    }

    fn resolve(&mut self, _: Env, (): Self::Output) -> napi::Result<Self::JsValue> {
        Ok(())
    }
}

#[napi]
pub fn development_setup(
    r1cs: String,
    zkey: String,
    progress: ProgressFunction,
) -> AsyncTask<Work<DevelopmentSetupSummary>> {
    Work::start(progress, move |progress| {
        let done =
            groth16_setup::development_setup(&PathBuf::from(r1cs), &PathBuf::from(zkey), progress)?;
        Ok(DevelopmentSetupSummary {
            constraints: done.constraints,
            wires: done.wires,
            public_signals: done.public,
            domain: done.domain,
        })
    })
}

#[napi]
pub fn development_powers_of_tau(
    path: String,
    power: u32,
    progress: ProgressFunction,
) -> AsyncTask<Work<()>> {
    Work::start(progress, move |progress| {
        powers_of_tau::write_development(&PathBuf::from(path), power, progress)
    })
}

#[napi]
pub fn check_powers_of_tau(
    path: String,
    progress: ProgressFunction,
) -> AsyncTask<Work<PowersOfTauSummary>> {
    Work::start(progress, move |progress| {
        let checked = powers_of_tau::check(&PathBuf::from(path), progress)?;
        Ok(PowersOfTauSummary {
            power: checked.power,
            ceremony_power: checked.ceremony_power,
            prepared: checked.prepared,
            contributions: checked.contributions,
            sha256: hex(&checked.sha256),
            blake2b: hex(&checked.blake2b),
            bytes: checked.bytes as f64,
            seconds: checked.seconds,
        })
    })
}

/// Keccak-256, 32 bytes: for the weights of large models.
#[napi]
pub fn keccak256(bytes: &[u8]) -> Buffer {
    Keccak256::digest(bytes).to_vec().into()
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{digits}")
}
