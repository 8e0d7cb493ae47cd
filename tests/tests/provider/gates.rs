//! What a scan lets through, and what it keeps back. The emulator is the only ECR here that scans.

use std::time::Duration;

use lab::emulator::{Options, Scan};
use serde_json::json;

use crate::emulated::Emulated;
use crate::stack::{FILES, Stack};

const REPOSITORY: &str = "shop/web";

struct World<'a> {
    stack: &'a Stack,
    there: Emulated<'a>,
}

impl World<'_> {
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
            self.there.repository(REPOSITORY),
            self.there.repository(REPOSITORY)
        ));
    }

    fn found(&self, findings: &[(&str, &'static str)]) {
        let findings = findings.iter().map(|(id, severity)| ((*id).to_owned(), *severity)).collect();
        self.there.ecr.scan(REPOSITORY, "v1", Scan { findings, ..Scan::default() }).unwrap();
    }
}

pub(crate) fn hold(stack: &Stack) {
    let world = World { stack, there: Emulated::new(stack, Options::default(), &[REPOSITORY]) };
    let ecr = &world.there.ecr;
    // The image is there before it is scanned.
    stack.image_in(&world.there.repository(REPOSITORY), &format!("  tags = [\"v1\"]\n{FILES}"));
    world.there.apply().unwrap();
    world.found(&[("CVE-2026-1", "HIGH"), ("CVE-2026-2", "LOW")]);
    let scan = json!({ "repositoryName": REPOSITORY, "imageId": { "imageTag": "v1" } });
    ecr.api("StartImageScan", &scan).unwrap();
    ecr.pass(Duration::from_mins(1));

    world.configure("  fail_on = \"HIGH\"");
    let error = world.there.apply().unwrap_err();
    assert!(
        error.contains("is kept back: 1 finding of HIGH or worse") && error.contains("CVE-2026-1"),
        "{error}"
    );
    assert!(!world.there.run(&["state", "list"]).unwrap().contains("ecr_scan_gate"), "nothing is tainted");

    world.configure(
        "  fail_on = \"HIGH\"\n  ignore = [{ id = \"CVE-2026-1\", until = \"2999-12-31\", reason = \"not called\" }]",
    );
    world.there.apply().unwrap();
    let uri = stack.output("uri");
    assert_eq!((stack.output("passed"), stack.output("newest")), (uri.clone(), uri.clone()));
    assert_eq!(stack.output("found"), "CVE-2026-1 CVE-2026-2");
    assert_eq!(Some(stack.output("region").as_str()), ecr.host().split('.').nth(3));
    world.there.plans_nothing();

    // What is found later shuts no gate that is open, and a criterion that fails leaves it as it was.
    world.found(&[("CVE-2026-1", "HIGH"), ("CVE-2026-3", "CRITICAL")]);
    let plan = world.there.run(&["plan"]).unwrap();
    assert!(!plan.contains("ecr_scan_gate.web will"), "{plan}");
    world.configure("  fail_on = \"CRITICAL\"");
    let error = world.there.apply().unwrap_err();
    assert!(error.contains("CRITICAL CVE-2026-3"), "{error}");
    let shown = world.there.run(&["state", "show", "ecr_scan_gate.web"]).unwrap();
    assert!(shown.contains(&uri) && shown.contains("not called") && !shown.contains("tainted"), "{shown}");

    // An image that nobody had scanned.
    stack.file("app/index.html", "two");
    world.configure("  start_scan = true");
    world.there.apply().unwrap();
    assert_ne!(stack.output("passed"), uri);
    world.there.run(&["destroy", "-auto-approve"]).unwrap();
}
