//! Tools from real specs: whose behavior follows from REST semantics, with their real schemas, enumerations, examples
//! and formats. The simulator executes them.

mod arguments;
mod play;
mod pool;
mod uses;

pub(crate) use play::generate;
pub use pool::{Api, Pool, Provider};
