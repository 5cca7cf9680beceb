//! Proving on whatever device was asked for: what fails on a card is done again on the CPU, and said.

use super::device::Device;
use super::error::Error;
use super::prover::{Checks, ProvingKey, Request, Timings, Witness, prove};
use crate::gpu::card::Card;
use crate::gpu::driver::Driver;
use crate::gpu::error::CardError;
use crate::gpu::self_test::self_test;

/// A proof and how it came about.
pub struct Made {
    /// As in protocol.md §4.2.
    pub proof: Vec<u8>,
    /// Of the run that made it.
    pub timings: Timings,
    /// The device that made it, for people.
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
        self_test(&Card::open(&driver, 0)?)?;
        Ok(Self::Cuda { driver, ordinal: 0 })
    }

    /// "cpu", or the card's number and name.
    pub fn label(&self) -> String {
        match self {
            Self::Cpu => "cpu".into(),
            Self::Cuda { driver, ordinal } => {
                let cards = driver.cards().unwrap_or_default();
                let name = cards.get(*ordinal as usize).map_or("unknown", |card| &card.name);
                format!("cuda:{ordinal} ({name})")
            }
        }
    }
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
