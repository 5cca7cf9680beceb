//! Proving on whatever device was asked for: what fails on a card is done again on the CPU, and said.

use super::claims::{Challenges, Functional};
use super::device::{CPU, Device, OnCpu, Opened, Rounds, Steps};
use super::error::Error;
use super::execute::{Execution, execute};
use super::field::F;
use super::kzg::Srs;
use super::mercury::Opening;
use super::phases::Task;
use super::proof::Proof;
use super::prover::{Checks, Phase, ProvingKey, Request, Timings, Witness, prove};
use super::transcript::Transcript;
use crate::gpu::card::Card;
use crate::gpu::device::OnCard;
use crate::gpu::driver::Driver;
use crate::gpu::error::CardError;
use crate::gpu::execute as on_card;
use crate::gpu::self_test::{SHORT, self_test};
use ark_bn254::G1Affine;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

/// A proof and how it came about.
pub struct Made {
    /// As in protocol.md §4.2.
    pub proof: Vec<u8>,
    /// Of the run that made it.
    pub timings: Timings,
    /// The device that made it, for people; phases may have been done elsewhere.
    pub device: String,
    /// Why another device than the one asked for made it, for people.
    pub notes: Vec<String>,
}

impl Device {
    /// Reads "cpu", "cuda", "cuda:1" or "auto": the first card if there is a usable one that passes the
    /// self-test, else the CPU. `None` for other words.
    ///
    /// # Errors
    /// A card that was asked for and is not there.
    pub fn parse(text: &str) -> Result<Option<Self>, CardError> {
        let ordinal = match text {
            "cpu" => return Ok(Some(Self::Cpu)),
            "auto" => return Ok(Some(Self::first_card().unwrap_or(Self::Cpu))),
            "cuda" => Some(0),
            _ => text.strip_prefix("cuda:").and_then(|number| number.parse().ok()),
        };
        let Some(ordinal) = ordinal else { return Ok(None) };
        let driver = Driver::load()?;
        let count = driver.cards()?.len() as u32;
        if ordinal >= count {
            return Err(CardError::NoCard { wanted: ordinal, count });
        }
        Ok(Some(Self::Cuda { driver, ordinal }))
    }

    fn first_card() -> Result<Self, CardError> {
        let driver = Driver::load()?;
        self_test(&Card::open(&driver, 0)?, SHORT)?;
        Ok(Self::Cuda { driver, ordinal: 0 })
    }

    /// "cpu", or the card's number and name.
    pub fn label(&self) -> String {
        match self {
            Self::Cpu => CPU.into(),
            Self::Cuda { driver, ordinal } => card_label(driver, *ordinal),
        }
    }
}

fn card_label(driver: &Driver, ordinal: u32) -> String {
    let cards = driver.cards().unwrap_or_default();
    let name = cards.get(ordinal as usize).map_or("unknown", |card| &card.name);
    format!("cuda:{ordinal} ({name})")
}

/// The steps on a card; those for which its memory does not suffice on the processor.
pub struct CardOrCpu<'a> {
    card: OnCard<'a>,
    cpu: OnCpu<'a>,
    label: String,
    /// Why the last step was done on the processor.
    reason: RefCell<Option<String>>,
}

impl<'a> CardOrCpu<'a> {
    /// Takes a card and copies the powers to it.
    pub fn open(driver: &Arc<Driver>, ordinal: u32, srs: &'a Srs) -> Result<Self, CardError> {
        Ok(Self {
            card: OnCard::open(driver, ordinal, srs)?,
            cpu: OnCpu { srs },
            label: card_label(driver, ordinal),
            reason: RefCell::new(None),
        })
    }

    /// A step, which changes `state` when it is done.
    fn step<S: Clone, T>(
        &self,
        state: &mut S,
        run: impl Fn(&dyn Steps, &mut S) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut own = state.clone();
        *self.reason.borrow_mut() = None;
        match run(&self.card, &mut own) {
            Ok(found) => {
                *state = own;
                Ok(found)
            }
            Err(Error::Card(error @ CardError::Memory { .. })) => {
                self.card.release();
                *self.reason.borrow_mut() = Some(format!("{}: {error}", self.label));
                run(&self.cpu, state)
            }
            Err(error) => Err(error),
        }
    }
}

impl Steps for CardOrCpu<'_> {
    fn commit_columns(&self, task: &Task) -> Result<Vec<G1Affine>, Error> {
        self.step(&mut (), |steps, ()| steps.commit_columns(task))
    }

    fn commit_lookups(&self, task: &Task, ch: &Challenges) -> Result<Vec<G1Affine>, Error> {
        self.step(&mut (), |steps, ()| steps.commit_lookups(task, ch))
    }

    fn prove_affine(
        &self,
        task: &Task,
        ch: &mut Challenges,
        proof: &mut Proof,
        transcript: &mut Transcript,
    ) -> Result<(F, F), Error> {
        let mut state = (ch.clone(), proof.clone(), transcript.clone());
        let found = self.step(&mut state, |steps, (ch, proof, transcript)| {
            steps.prove_affine(task, ch, proof, transcript)
        })?;
        (*ch, *proof, *transcript) = state;
        Ok(found)
    }

    fn prove_lookups(
        &self,
        task: &Task,
        ch: &Challenges,
        transcript: &mut Transcript,
    ) -> Result<(Rounds, Vec<F>), Error> {
        self.step(transcript, |steps, transcript| steps.prove_lookups(task, ch, transcript))
    }

    fn prove_merge(
        &self,
        task: &Task,
        ch: &Challenges,
        merged: &Functional,
        transcript: &mut Transcript,
    ) -> Result<(Rounds, Vec<F>), Error> {
        self.step(transcript, |steps, transcript| steps.prove_merge(task, ch, merged, transcript))
    }

    fn open(
        &self,
        task: &Task,
        ch: &Challenges,
        opened: &Opened,
        transcript: &mut Transcript,
    ) -> Result<Opening, Error> {
        self.step(transcript, |steps, transcript| steps.open(task, ch, opened, transcript))
    }

    fn done_on(&self) -> (String, Option<String>) {
        match &*self.reason.borrow() {
            None => (self.label.clone(), None),
            Some(reason) => (CPU.into(), Some(reason.clone())),
        }
    }
}

/// [`execute`] on a device; where a card fails, on the CPU. What it took, where it was done and why there are
/// in the phase.
///
/// # Errors
/// As [`execute`].
pub fn execute_or_fall_back(
    pk: &ProvingKey,
    latent: &[u8],
    conditions: &[u8],
    device: &Device,
) -> Result<(Execution, Phase), Error> {
    let began = Instant::now();
    let phase = |device: String, note| {
        let seconds = began.elapsed().as_secs_f64();
        Phase { name: "execute", seconds, device, note }
    };
    let mut note = None;
    if let Device::Cuda { driver, ordinal } = device {
        let on_card = || on_card::execute(&Card::open(driver, *ordinal)?, pk, latent, conditions);
        match on_card() {
            Ok(found) => return Ok((found, phase(device.label(), None))),
            Err(error) => note = Some(format!("{}: {error}", device.label())),
        }
    }
    let found = execute(pk, latent, conditions)?;
    Ok((found, phase(CPU.into(), note)))
}

/// Whether the CPU may do better: nothing that is wrong with what was asked.
fn is_of_the_card(error: &Error) -> bool {
    !matches!(
        error,
        Error::Key(_) | Error::Witness(_) | Error::Unsatisfied(_) | Error::PublicInput(_)
    )
}

/// [`prove`] on a device; where a card fails, or its proof does not verify, on the CPU.
///
/// # Errors
/// As [`prove`] on the CPU.
pub fn prove_or_fall_back(
    pk: &ProvingKey,
    witness: Witness,
    request: &Request,
    checks: Checks,
    device: &Device,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Made, Error> {
    let mut notes = Vec::new();
    if let Device::Cuda { .. } = device {
        match prove(pk, witness.clone(), request, checks, device, progress) {
            Ok((proof, timings)) => {
                notes.extend(timings.iter().filter_map(Phase::remark));
                return Ok(Made { proof, timings, device: device.label(), notes });
            }
            Err(error) if is_of_the_card(&error) => {
                let reason = match &error {
                    Error::Card(error) => error.to_string(),
                    other => format!("its proof was wrong ({other})"),
                };
                notes.push(format!(
                    "{} failed: {reason}; proven on the CPU instead",
                    device.label()
                ));
            }
            Err(error) => return Err(error),
        }
    }
    let (proof, timings) = prove(pk, witness, request, checks, &Device::Cpu, progress)?;
    Ok(Made { proof, timings, device: Device::Cpu.label(), notes })
}
