//! Behaviors, state and the engine that executes them: pure, total, deterministic.
//!
//! No I/O, no clock, no randomness of its own. A [`Behavior`] is what a tool does, in the language of
//! `docs/behaviors.md`; with the [`Library`] of what a toolset shares it compiles into a [`Program`];
//! [`Program::run`] takes a [`World`] and a call's arguments and gives a reply and a new world, or a
//! [`ToolError`] and no change.

pub mod behavior;
pub mod cel;
mod compile;
mod error;
mod fill;
mod library;
mod limits;
mod place;
mod run;
mod schema;
pub mod seed;
mod template;
mod value;
mod world;

pub use behavior::{Behavior, Behaviors};
pub use compile::Program;
pub use error::{ErrorKind, ToolError};
pub use fill::{Filler, Slot};
pub use library::Library;
pub use limits::{Budget, Exhausted, Limits};
pub use run::{Given, Outcome};
pub use value::{List, Map, Str, Value};
pub use world::{Clock, World};
