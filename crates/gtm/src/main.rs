//! The program `gtm`: all of it is in the library, which the Python package carries as well.

use std::process::ExitCode;

fn main() -> ExitCode {
    gtm::run(std::env::args_os()).into()
}
