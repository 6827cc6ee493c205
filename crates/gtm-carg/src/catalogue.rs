//! What sessions are made of: packs, checked and planned, and real specs.

use crate::dataset::{Config, Recipe};
use crate::domain::Domain;
use crate::lint::{Severity, lint};
use crate::pack;
use crate::session::Field;
use crate::specs::Pool;
use crate::style::Vocabulary;
use gtm_error::{Code, Error, Result};
use gtm_world::seed;
use std::path::PathBuf;

/// Packs and specs, ready for use.
pub struct Catalogue {
    /// One for each pack, in order of file name.
    pub fields: Vec<Field>,
    /// What the packs' texts determine and nothing else does.
    pub digest: String,
    /// Real specs.
    pub specs: Pool,
    /// How usual names are, and words to make them particular by.
    pub vocabulary: Vocabulary,
}

impl Catalogue {
    /// Reads packs, and refuses those that lint finds errors in.
    ///
    /// # Errors
    /// As [`pack::load`], and [`Code::PackInvalid`] with the first error of a pack.
    pub fn load(paths: &[PathBuf]) -> Result<Catalogue> {
        let mut fields = Vec::new();
        let mut digest = 0;
        for file in pack::pack_files(paths)? {
            let pack = pack::load(&file)?;
            let text = serde_json::to_string(&pack).unwrap_or_default();
            digest = seed::derive(digest, &[&text]);
            if let Some(finding) =
                lint(&pack, Some(&file)).into_iter().find(|f| f.severity == Severity::Error)
            {
                return Err(Error::new(Code::PackInvalid, finding.message)
                    .at(if finding.place.is_empty() { "/" } else { &finding.place })
                    .in_file(file.display())
                    .hint("`gtm carg lint` shows every fault of the packs at once"));
            }
            fields.push(Field::new(Domain::new(pack)));
        }
        let specs = Pool::default();
        let vocabulary = Vocabulary::of(&fields, &specs);
        Ok(Catalogue { fields, digest: format!("{digest:016x}"), specs, vocabulary })
    }

    /// Reads the packs and specs of a configuration.
    ///
    /// # Errors
    /// As [`Catalogue::load`], [`Pool::load`] and [`Config::check`].
    pub fn of(config: &Config) -> Result<Catalogue> {
        config.check()?;
        let packs = match config.packs.is_empty() {
            true => Catalogue {
                fields: Vec::new(),
                digest: String::new(),
                specs: Pool::default(),
                vocabulary: Vocabulary::default(),
            },
            false => Catalogue::load(&config.packs)?,
        };
        let specs = Pool::load(&config.specs)?;
        let vocabulary = Vocabulary::of(&packs.fields, &specs);
        Ok(Catalogue { specs, vocabulary, ..packs })
    }

    /// What determines a dataset of this configuration.
    pub fn recipe(&self, config: &Config) -> Recipe {
        Recipe {
            seed: config.seed,
            sessions: config.sessions,
            version: env!("CARGO_PKG_VERSION").into(),
            spec_share: if self.specs.providers.is_empty() { 0.0 } else { config.spec_share },
            splits: config.splits,
            samples: config.samples,
            formats: config.formats.clone(),
            domains: self.fields.iter().map(|field| field.domain.pack.domain.clone()).collect(),
            packs: self.digest.clone(),
            providers: self.specs.providers.len(),
            specs: self.specs.digest.clone(),
        }
    }
}
