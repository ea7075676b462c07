//! The program `sickbay`: reads its arguments, does what they say, and ends with the code that tells how it went.

use std::process::ExitCode;

fn main() -> ExitCode {
    match sickbay::cli::parse(std::env::args_os()) {
        Ok(arguments) => sickbay::runtime::run(&arguments),
        // Help and version are errors to clap as well: it knows where each is printed and how it ends.
        Err(error) => error.exit(),
    }
}
