//! What can go wrong, in the words the user will read.

use std::fmt::Display;
use std::path::{Path, PathBuf};

/// The result of everything that reads or writes files.
pub type Result<T> = std::result::Result<T, NativeError>;

/// An error that a user can cause or cure. Its parts become those of a `PlatemarkError`.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// The file is not what its format demands.
    #[error("{path} is not a usable {format} file: {place}.", place = place(*.section, *.offset))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// `r1cs`, `ptau` or `zkey`.
        format: &'static str,
        /// The section, where the flaw lies in one.
        section: Option<u32>,
        /// Byte offset in the file of the flaw, or of the section when the whole of it is wrong.
        offset: u64,
        /// What belongs there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The file is well formed, and what it says cannot be used.
    #[error("{message}")]
    Unusable {
        /// What is wrong.
        message: String,
        /// What would be right.
        expected: String,
        /// What is there.
        found: String,
        /// What the user can do.
        fix: String,
    },
    /// The operating system refused.
    #[error("Cannot {action} {path}.")]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The operating system gave no randomness.
    #[error("The operating system gave no randomness.")]
    Randomness(getrandom::Error),
}

fn place(section: Option<u32>, offset: u64) -> String {
    match section {
        Some(section) => format!("section {section}, offset {offset}"),
        None => format!("offset {offset}"),
    }
}

impl NativeError {
    /// What was expected, where that can be said.
    pub fn expected(&self) -> Option<&str> {
        match self {
            Self::Malformed { expected, .. } | Self::Unusable { expected, .. } => Some(expected),
            Self::Io { .. } | Self::Randomness(_) => None,
        }
    }

    /// What was found instead.
    pub fn found(&self) -> Option<String> {
        match self {
            Self::Malformed { found, .. } | Self::Unusable { found, .. } => Some(found.clone()),
            Self::Io { source, .. } => Some(source.to_string()),
            Self::Randomness(source) => Some(source.to_string()),
        }
    }

    /// What the user can do.
    pub fn fix(&self) -> Option<&str> {
        match self {
            Self::Malformed { format, .. } => Some(match *format {
                "r1cs" => "Compile the circuit again.",
                "ptau" => "Download the file again and compare its hash with the published one.",
                _ => "Make the file again.",
            }),
            Self::Unusable { fix, .. } => Some(fix),
            Self::Io { .. } => Some("Check the path, its permissions and the free space."),
            Self::Randomness(_) => None,
        }
    }

    pub(crate) fn read(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Io { action: "read", path: path.to_path_buf(), source }
    }

    pub(crate) fn write(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Io { action: "write", path: path.to_path_buf(), source }
    }
}

/// Where a reader is, for the errors it makes.
#[derive(Clone, Debug)]
pub struct Place {
    pub(crate) path: PathBuf,
    pub(crate) format: &'static str,
    pub(crate) section: Option<u32>,
    pub(crate) offset: u64,
}

impl Place {
    /// The error that something else than `expected` is here.
    pub fn malformed(&self, expected: impl Display, found: impl Display) -> NativeError {
        NativeError::Malformed {
            path: self.path.clone(),
            format: self.format,
            section: self.section,
            offset: self.offset,
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }
}
