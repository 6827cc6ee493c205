//! The language model, for the commands that read specs.

use gtm_error::Result;
use gtm_mind::{ModelReader, ReadOptions};
use gtm_model::{LanguageModel, ModelOptions};
use gtm_read::{Reader, RuleFiller, RuleReader};
use gtm_sim::{Simulator, Toolset};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// The flag of the commands that read specs.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ModelFlag {
    /// Let the language model in this folder read what rules cannot; without this, rules alone read
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    #[arg(skip)]
    reader: Loaded,
}

/// The reader, once the model is loaded.
#[derive(Default)]
struct Loaded(OnceLock<Arc<dyn Reader>>);

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.get().is_some() { "loaded" } else { "not loaded" })
    }
}

impl ModelFlag {
    /// Whether a model is named.
    pub(crate) fn is_given(&self) -> bool {
        self.model.is_some()
    }

    /// What reads specs. The model is loaded on the first call.
    ///
    /// # Errors
    /// As [`LanguageModel::load`].
    pub(crate) fn reader(&self) -> Result<Arc<dyn Reader>> {
        if let Some(reader) = self.reader.0.get() {
            return Ok(Arc::clone(reader));
        }
        let reader: Arc<dyn Reader> = match &self.model {
            None => Arc::new(RuleReader),
            Some(folder) => {
                let model = LanguageModel::load(folder, None, &ModelOptions::default())?;
                Arc::new(ModelReader::new(Arc::new(model), ReadOptions::default()))
            }
        };
        Ok(Arc::clone(self.reader.0.get_or_init(|| reader)))
    }

    /// The simulator of a toolset.
    ///
    /// # Errors
    /// As [`ModelFlag::reader`] and [`Simulator::with`].
    pub(crate) fn simulator(&self, toolset: Toolset) -> Result<Simulator> {
        Simulator::with(toolset, &*self.reader()?, Arc::new(RuleFiller))
    }
}
