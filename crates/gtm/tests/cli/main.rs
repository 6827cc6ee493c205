//! The binary, driven as a user drives it: arguments in, output and exit code out.

mod about;
mod call;
mod carg;
mod clients;
mod common;
mod env;
mod eval;
mod hostile;
mod read;
mod readme;
mod record;
mod serve;
mod tools;
mod train;
