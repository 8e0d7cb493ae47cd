//! `cargo xtask`: see `lab::xtask`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lab::xtask::main()
}
