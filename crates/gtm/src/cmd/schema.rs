//! `gtm schema`: the JSON Schemas of what users write, for editors.

use crate::output::{Out, Result, Status};
use gtm_sim::Toolset;

/// Print the JSON Schema of a file format
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Format
    #[arg(value_enum)]
    of: Format,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// Toolset files
    Toolset,
    /// Collections and behaviors, as `gtm read` prints them
    Behavior,
    /// Domain packs
    Pack,
    /// Environments: toolsets with tasks
    Environment,
    /// Configurations of `gtm carg run`
    Carg,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let mut out = Out::new();
    match args.of {
        Format::Toolset => out.pretty(&Toolset::json_schema())?,
        Format::Behavior => out.pretty(&gtm_world::behavior::json_schema())?,
        Format::Environment => out.pretty(&gtm_env::EnvironmentFile::json_schema())?,
        Format::Pack => out.pretty(&gtm_carg::pack::json_schema())?,
        Format::Carg => out.pretty(&gtm_carg::dataset::json_schema())?,
    }
    out.flush()?;
    Ok(Status::Done)
}
