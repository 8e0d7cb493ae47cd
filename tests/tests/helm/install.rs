//! Packages, as users without a network install them: into a home that has nothing, by each Helm in its own way.

use std::fs;
use std::path::Path;
use std::process::Command;

use lab::lab::Lab;
use lab::plugin_package::{PluginPackages, pack};
use lab::process::{SHORT, run};
use lab::programs::Programs;
use lab::tool::Tool;

use crate::stage::end;

/// A Helm whose every way out is closed.
fn helm(helm: &Path, home: &Path) -> Command {
    let mut command = Command::new(helm);
    command.env_clear().env("HOME", home).env("HTTPS_PROXY", "http://127.0.0.1:1").current_dir(home);
    command.env("HTTP_PROXY", "http://127.0.0.1:1");
    command
}

fn installs(tool: &Path, home: &Path, arguments: &[&str]) {
    let version = format!("eks-deploy {}\nhelm ", env!("CARGO_PKG_VERSION"));
    let mut install = helm(tool, home);
    end(install.args(["plugin", "install"]).args(arguments)).expect(0, &[]);
    let said = end(helm(tool, home).args(["eks-deploy", "version"]));
    said.expect(0, &[]);
    assert!(said.out.starts_with(&version), "{said:#?}");
    let listed = end(helm(tool, home).args(["plugin", "list"]));
    assert!(listed.out.contains("eks-deploy"), "{listed:#?}");
    assert_eq!(end(helm(tool, home).args(["eks-deploy", "up", "--typo"])).code, Some(64));
    end(helm(tool, home).args(["plugin", "uninstall", "eks-deploy"])).expect(0, &[]);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn both_helms_install_the_packages_of_one_build_without_a_network() {
    let lab = Lab::running().unwrap();
    let (helm3, helm4) = (lab.tool(Tool::Helm3).unwrap(), lab.tool(Tool::Helm4).unwrap());
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    // A few bytes in the program's place: a test's build has hundreds of megabytes.
    let program = home.join("program");
    let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", Programs::built().unwrap().plugin.display());
    fs::write(&program, script).unwrap();
    let PluginPackages { helm3: for3, helm4: for4 } = pack(&program, ("linux", "amd64"), home).unwrap();
    for (package, folder) in [(&for3, "for3"), (&for4, "for4")] {
        fs::create_dir(home.join(folder)).unwrap();
        run(Command::new("tar").arg("xzf").arg(package).arg("-C").arg(home.join(folder)), SHORT).unwrap();
    }
    // Not signed in a test: Helm 4 would ask for the provenance file beside the package.
    installs(&helm4, home, &[for4.to_str().unwrap(), "--verify=false"]);
    installs(&helm4, home, &["for4/eks-deploy"]);
    installs(&helm4, home, &["for3"]);
    installs(&helm3, home, &["for3"]);
    let again = tempfile::tempdir().unwrap();
    let repeated = pack(&program, ("linux", "amd64"), again.path()).unwrap();
    assert!(fs::read(for4).unwrap() == fs::read(repeated.helm4).unwrap(), "the same bytes every time");
}
