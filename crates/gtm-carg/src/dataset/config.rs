//! What a dataset is to be: the configuration as users write it, and the recipe that determines every byte.

use super::split::Splits;
use crate::samples::Rates;
use gtm_error::{Code, Error, Result};
use gtm_tool::{Limits, parse_document};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Largest configuration file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A configuration, as `gtm carg run --config` reads it. Paths are relative to where the command runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "GTM dataset configuration")]
pub struct Config {
    /// Address of this schema, for editors.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Folder of the dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out: Option<PathBuf>,
    /// Seed of everything.
    pub seed: u64,
    /// Sessions to make, those that fail a check included.
    pub sessions: u64,
    /// Pack files, or folders that are searched for `*.yaml`.
    pub packs: Vec<PathBuf>,
    /// Files of tool specs in any format that `gtm tools` reads, or folders of them. Tools whose behavior follows from
    /// REST semantics join the pool.
    pub specs: Vec<PathBuf>,
    /// Share of sessions whose tools are from `specs`, 0 to 1.
    pub spec_share: f64,
    /// Shares of domains and providers that are held out.
    pub splits: Splits,
    /// How many samples are made of the sessions.
    pub samples: Rates,
    /// Formats of the samples.
    pub formats: Vec<Format>,
    /// Threads; all cores, if not given. Changes nothing but the time it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<usize>,
}

/// Formats of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON Lines, zstd-compressed.
    Jsonl,
    /// Parquet, zstd-compressed.
    Parquet,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            schema: None,
            out: None,
            seed: 0,
            sessions: 2_000,
            packs: vec!["packs".into()],
            specs: Vec::new(),
            spec_share: 0.25,
            splits: Splits::default(),
            samples: Rates::default(),
            formats: vec![Format::Jsonl, Format::Parquet],
            jobs: None,
        }
    }
}

impl Config {
    /// Reads a YAML or JSON file.
    ///
    /// # Errors
    /// [`Code::FileUnreadable`], [`Code::SpecSyntax`], and [`Code::DatasetConfig`] with the place of what does not fit.
    pub fn load(path: &Path) -> Result<Config> {
        let unreadable =
            |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display());
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_BYTES {
            return Err(Error::new(Code::DatasetConfig, format!("the file has {size} bytes"))
                .in_file(path.display())
                .expected(format!("at most {MAX_BYTES}")));
        }
        let text = std::fs::read(path).map_err(unreadable)?;
        let document = parse_document(&text, &Limits::default()).map_err(|e| e.in_file(path.display()))?;
        serde_path_to_error::deserialize(&document).map_err(
            |e: serde_path_to_error::Error<serde_json::Error>| {
                let place = format!("/{}", e.path().to_string().replace('.', "/"));
                Error::new(Code::DatasetConfig, e.inner().to_string()).at(place).in_file(path.display())
            },
        )
    }

    /// Checks what a schema of types does not.
    ///
    /// # Errors
    /// [`Code::DatasetConfig`].
    pub fn check(&self) -> Result<()> {
        let share = |place: &str, value: f64| match (0.0..=1.0).contains(&value) {
            true => Ok(()),
            false => Err(Error::new(Code::DatasetConfig, format!("the share is {value}"))
                .at(place)
                .expected("0 to 1")),
        };
        share("/spec_share", self.spec_share)?;
        share("/splits/validation", self.splits.validation)?;
        share("/splits/test", self.splits.test)?;
        share("/splits", self.splits.validation + self.splits.test)?;
        for (name, rate) in self.samples.by_name() {
            share(&format!("/samples/{name}"), rate)?;
        }
        let wrong = |place: &str, what: &str| Err(Error::new(Code::DatasetConfig, what).at(place));
        match self {
            _ if self.sessions == 0 => wrong("/sessions", "a dataset has at least one session"),
            _ if self.jobs == Some(0) => wrong("/jobs", "at least one thread is needed"),
            _ if self.packs.is_empty() && self.specs.is_empty() => {
                wrong("/packs", "tools come from packs or specs, and there are neither")
            }
            _ => Ok(()),
        }
    }
}

/// What determines a dataset, byte for byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Seed of everything.
    pub seed: u64,
    /// Number of sessions asked for, those that are dropped included.
    pub sessions: u64,
    /// Version of GTM.
    pub version: String,
    /// Share of sessions whose tools are from real specs.
    pub spec_share: f64,
    /// Shares that are held out.
    pub splits: Splits,
    /// How many samples are made.
    pub samples: Rates,
    /// Formats of the samples.
    pub formats: Vec<Format>,
    /// Domains of the packs, in order.
    pub domains: Vec<String>,
    /// Digest of the packs.
    pub packs: String,
    /// Providers of real specs.
    pub providers: usize,
    /// Digest of the real specs.
    pub specs: String,
}

/// JSON Schema of the configuration, as in `docs/carg.schema.json`.
pub fn json_schema() -> serde_json::Value {
    serde_json::to_value(schemars::schema_for!(Config)).unwrap_or_default()
}
