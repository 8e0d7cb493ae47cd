//! `cargo xtask`: see `lab::xtask`. Under another name it is the lab's container runtime: see `lab::runtime`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    if std::path::Path::new(&name).file_name() == Some(lab::runtime::NAME.as_ref()) {
        return lab::runtime::main(&arguments.collect::<Vec<_>>());
    }
    lab::xtask::main()
}
