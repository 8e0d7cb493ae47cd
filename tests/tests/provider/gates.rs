//! What a scan lets through, and what it keeps back. The emulator is the only ECR here that scans.

use std::time::Duration;

use lab::emulator::{Emulator, Options, Scan};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::stack::{FILES, Outcome, Stack, run_cli};

const REPOSITORY: &str = "shop/web";

struct World<'a> {
    stack: &'a Stack,
    ecr: Emulator,
    /// Serves the emulator while a program runs.
    _runtime: Runtime,
}

impl<'a> World<'a> {
    fn new(stack: &'a Stack) -> Self {
        let runtime = Runtime::new().unwrap();
        let ecr = runtime.block_on(Emulator::start(Options::default())).unwrap();
        ecr.create(REPOSITORY);
        Self { stack, ecr, _runtime: runtime }
    }

    fn repository(&self) -> String {
        format!("{}/{REPOSITORY}", self.ecr.host())
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.stack.command(arguments);
        let keys = self.ecr.keys();
        command
            .env("AWS_ENDPOINT_URL", self.ecr.url())
            .env("AWS_ACCESS_KEY_ID", keys.id)
            .env("AWS_SECRET_ACCESS_KEY", keys.secret)
            .env("EKS_DEPLOY_REGISTRY_ENDPOINTS", self.ecr.endpoints());
        run_cli(&mut command)
    }

    fn apply(&self) -> Outcome {
        self.run(&["apply", "-auto-approve", "-input=false"])
    }

    /// An image, a gate before it, and what both say.
    fn configure(&self, more: &str) {
        self.stack.configuration(&format!(
            "resource \"ecr_image\" \"web\" {{\n  repository = \"{}\"\n  tags = [\"v1\"]\n{FILES}\n}}\n\
             resource \"ecr_scan_gate\" \"web\" {{\n  image = ecr_image.web.uri\n{more}\n}}\n\
             data \"ecr_scan\" \"web\" {{ image = ecr_image.web.uri }}\n\
             data \"ecr_images\" \"web\" {{\n  repository = \"{}\"\n  tag_pattern = \"v*\"\n  depends_on = [ecr_image.web]\n}}\n\
             output \"passed\" {{ value = ecr_scan_gate.web.passed_uri }}\n\
             output \"uri\" {{ value = ecr_image.web.uri }}\n\
             output \"found\" {{ value = join(\" \", data.ecr_scan.web.findings[*].id) }}\n\
             output \"newest\" {{ value = data.ecr_images.web.images[0].uri }}\n\
             output \"region\" {{ value = provider::ecr::parse_reference(ecr_image.web.uri).region }}\n",
            self.repository(),
            self.repository()
        ));
    }

    fn found(&self, findings: &[(&str, &'static str)]) {
        let findings = findings.iter().map(|(id, severity)| ((*id).to_owned(), *severity)).collect();
        self.ecr.scan(REPOSITORY, "v1", Scan { findings, ..Scan::default() }).unwrap();
    }
}

pub(crate) fn hold(stack: &Stack) {
    let world = World::new(stack);
    // The image is there before it is scanned.
    stack.image_in(&world.repository(), &format!("  tags = [\"v1\"]\n{FILES}"));
    world.apply().unwrap();
    world.found(&[("CVE-2026-1", "HIGH"), ("CVE-2026-2", "LOW")]);
    let scan = json!({ "repositoryName": REPOSITORY, "imageId": { "imageTag": "v1" } });
    world.ecr.api("StartImageScan", &scan).unwrap();
    world.ecr.pass(Duration::from_mins(1));

    world.configure("  fail_on = \"HIGH\"");
    let error = world.apply().unwrap_err();
    assert!(
        error.contains("is kept back: 1 finding of HIGH or worse") && error.contains("CVE-2026-1"),
        "{error}"
    );
    assert!(!world.run(&["state", "list"]).unwrap().contains("ecr_scan_gate"), "nothing is tainted");

    world.configure(
        "  fail_on = \"HIGH\"\n  ignore = [{ id = \"CVE-2026-1\", until = \"2999-12-31\", reason = \"not called\" }]",
    );
    world.apply().unwrap();
    let uri = stack.output("uri");
    assert_eq!((stack.output("passed"), stack.output("newest")), (uri.clone(), uri.clone()));
    assert_eq!(stack.output("found"), "CVE-2026-1 CVE-2026-2");
    assert_eq!(Some(stack.output("region").as_str()), world.ecr.host().split('.').nth(3));
    let plan = world.run(&["plan"]).unwrap();
    assert!(plan.contains("No changes."), "{plan}");

    // What is found later shuts no gate that is open, and a criterion that fails leaves it as it was.
    world.found(&[("CVE-2026-1", "HIGH"), ("CVE-2026-3", "CRITICAL")]);
    let plan = world.run(&["plan"]).unwrap();
    assert!(!plan.contains("ecr_scan_gate.web will"), "{plan}");
    world.configure("  fail_on = \"CRITICAL\"");
    let error = world.apply().unwrap_err();
    assert!(error.contains("CRITICAL CVE-2026-3"), "{error}");
    let shown = world.run(&["state", "show", "ecr_scan_gate.web"]).unwrap();
    assert!(shown.contains(&uri) && shown.contains("not called") && !shown.contains("tainted"), "{shown}");

    // An image that nobody had scanned.
    stack.file("app/index.html", "two");
    world.configure("  start_scan = true");
    world.apply().unwrap();
    assert_ne!(stack.output("passed"), uri);
    world.run(&["destroy", "-auto-approve"]).unwrap();
}
