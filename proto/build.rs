//! Compiles the protocol's definitions without needing `protoc` on the machine.

use std::{error::Error, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let definitions = ["tfplugin6.proto", "go_plugin.proto"];
    let folder = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("proto");
    // Set by fuzzers, see `fuzz/`.
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
    println!("cargo::rerun-if-changed={}", folder.display());
    tonic_prost_build::configure()
        // A call added by a newer Terraform is answered "unimplemented" and not a build error here.
        .generate_default_stubs(true)
        .compile_fds(protox::compile(definitions, [folder])?)?;
    Ok(())
}
