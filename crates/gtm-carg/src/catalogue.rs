//! All packs of some folders, checked and planned.

use crate::dataset::Recipe;
use crate::domain::Domain;
use crate::lint::{Severity, lint};
use crate::pack;
use crate::session::Field;
use gtm_error::{Code, Error, Result};
use gtm_world::seed;
use std::path::PathBuf;

/// Packs, ready for use.
pub struct Catalogue {
    /// One for each pack, in order of file name.
    pub fields: Vec<Field>,
    /// What the packs' texts determine and nothing else does.
    pub digest: String,
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
        Ok(Catalogue { fields, digest: format!("{digest:016x}") })
    }

    /// What a dataset of these packs is made from.
    pub fn recipe(&self, seed: u64, sessions: u64) -> Recipe {
        Recipe {
            seed,
            sessions,
            version: env!("CARGO_PKG_VERSION").into(),
            domains: self.fields.iter().map(|field| field.domain.pack.domain.clone()).collect(),
            packs: self.digest.clone(),
        }
    }
}
