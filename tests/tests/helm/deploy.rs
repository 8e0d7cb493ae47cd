//! What goes well: pods run the digests that were asked for, under either Helm, and stay so in a colleague's hands.

use lab::aws::{Keys, REGION};
use lab::cluster::Cluster;
use lab::tool::Tool;
use serde_json::{Value, json};

use crate::stage::{Stage, end};

fn image(stage: &Stage, tag: &str) -> String {
    format!("image={}:{tag}", stage.repository)
}

/// Into the folder that the program is run in.
fn write(stage: &Stage, name: &str, text: &str) {
    std::fs::write(stage.chart().with_file_name(name), text).unwrap();
}

fn a_second_up_rolls_the_pods_to_the_new_digest(helm: Tool) {
    let stage = Stage::set();
    let (first, second) = (stage.push("v1"), stage.push("v2"));
    assert_ne!(first, second);

    let mut up = stage.helm(helm);
    up.args(["eks-deploy", "up", &stage.name, "./web", "-n", &stage.name, "--cluster", &stage.cluster.name]);
    let ended = end(up.args(["--image", &image(&stage, "v1"), "--timeout", "60s"]));
    ended.expect(0, &[&format!("image image = {}@{first} (v1)", stage.repository), "deployed as revision 1"]);
    assert_eq!(stage.running(), [&*first]);

    let mut again = stage.up(helm);
    again.args(["--image", &image(&stage, "v2"), "--ci=github", "--report=report.json"]);
    again
        .env("GITHUB_STEP_SUMMARY", stage.home.path().join("summary"))
        .env("GITHUB_OUTPUT", stage.home.path().join("output"));
    let ended = end(&mut again);
    ended.expect(0, &["::group::helm upgrade ", "::endgroup::\n", "deployed as revision 2"]);
    assert_eq!(stage.running(), [&*second]);
    is_told_of(&stage, &first, &second);
    assert_eq!(stage.left_over(), [""; 0].map(std::path::PathBuf::from));

    there_is_a_way_back_as_long_as_the_image_is_there(&stage, helm, &first);
    a_colleague_without_the_plugin_keeps_the_digest(&stage, helm, [&first, &second]);
}

/// In the report, on the page of the job, and to later jobs.
fn is_told_of(stage: &Stage, first: &str, second: &str) {
    let [report, summary, output] = ["report.json", "summary", "output"]
        .map(|name| std::fs::read_to_string(stage.home.path().join(name)).unwrap());
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        (&report["outcome"], &report["revision"], &report["exitCode"]),
        (&json!("deployed"), &json!(2), &json!(0))
    );
    for (when, digest) in [("before", first), ("after", second)] {
        assert!(report["images"][0][when].as_str().unwrap().ends_with(digest), "{report}");
    }
    let timeline = report["timeline"].to_string();
    for part in ["helm upgrade begins", "is deployed as revision 2"] {
        assert!(timeline.contains(part), "{part} is not in {timeline}");
    }
    assert_eq!(report["obstacles"], json!([]));
    assert!(
        summary.starts_with("### ✅ up ") && summary.contains(&second.replace(':', "&#58;")),
        "{summary}"
    );
    assert!(
        output.starts_with("outcome=deployed\nrevision=2\nimages=[\"") && output.contains(second),
        "{output}"
    );
}

/// To the first revision and forth again, looked at by `status`; not to one whose image is gone.
fn there_is_a_way_back_as_long_as_the_image_is_there(stage: &Stage, helm: Tool, first: &str) {
    let about = |verb: &str| {
        let mut command = stage.plugin();
        command.env("HELM_BIN", stage.lab.tool(helm).unwrap()).args([verb, &stage.name]);
        command.args(["--cluster", &stage.cluster.name, "-n", &stage.name]);
        command
    };
    let said = ["back from revision 2 to revision 1, as revision 3", "is deployed as revision 3"];
    end(&mut about("rollback")).expect(0, &said);
    assert_eq!(stage.running(), [first]);
    let status = end(about("status").args(["-o", "json"]));
    status.expect(0, &[]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!((&status["status"], &status["images"][0]["digest"]), (&json!("deployed"), &json!(first)));
    assert_eq!(status["objects"][0]["pods"][0]["containers"][0]["digest"], *first);

    let gone = json!({"repositoryName": stage.name, "imageIds": [{"imageTag": "v1"}]});
    stage.lab.root().ecr("BatchDeleteImage", &gone).unwrap();
    end(about("rollback").arg("1"))
        .expect(3, &["revision 1 cannot run any more", first, "push the image again"]);
    end(about("rollback").arg("2")).expect(0, &["is deployed as revision 4"]);
    stage.push("v1");
}

/// Plain helm: `helm get values` has the pins, so they stay, and nothing of ours is needed.
fn a_colleague_without_the_plugin_keeps_the_digest(stage: &Stage, helm: Tool, [first, second]: [&str; 2]) {
    stage.write_kubeconfig();
    let plain = |arguments: &[&str]| {
        let mut plain = stage.helm(helm);
        plain.env_remove("HELM_PLUGINS").args(arguments);
        end(plain.args(["--wait", "--timeout", "60s"])).expect(0, &[]);
    };
    plain(&["upgrade", &stage.name, "./web", "--reuse-values", "--set", "replicas=2"]);
    assert_eq!(stage.running(), [second, second]);
    plain(&["rollback", &stage.name, "1"]);
    assert_eq!(stage.running(), [first]);
    plain(&["uninstall", &stage.name]);
    assert_eq!(stage.history(), []);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_19_a_colleague_without_the_plugin_by_helm_4() {
    a_second_up_rolls_the_pods_to_the_new_digest(Tool::Helm4);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_19_a_colleague_without_the_plugin_by_helm_3() {
    a_second_up_rolls_the_pods_to_the_new_digest(Tool::Helm3);
}

/// Nobody names it on the command line: the one place in values that renders to it is found. What says the values can be
/// read once only.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_1_an_image_in_values_of_stdin_is_pinned_where_it_stands() {
    let stage = Stage::set();
    let digest = stage.push("v1");
    write(&stage, "once.yaml", &format!("image: {{repository: {}, tag: v1}}\n", stage.repository));
    let values = std::fs::File::open(stage.home.path().join("once.yaml")).unwrap();
    let ended = end(stage.up(Tool::Helm4).arg("--values=-").stdin(values));
    ended.expect(0, &[&format!("image image = {}@{digest} (v1)", stage.repository)]);
    assert_eq!(stage.running(), [digest]);
    // Helm's own way: what was given last time counts again.
    let said = "no values were given, so helm takes those of the last revision again, with their digests";
    end(&mut stage.up(Tool::Helm4)).expect(0, &[said, ": image.tag; --image names"]);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_terraform_output_names_the_image() {
    let stage = Stage::set();
    let digest = stage.push("v1");
    let uri = format!("{}@{digest}", stage.repository);
    let gone = format!("{}@sha256:{}", stage.repository, "0".repeat(64));
    let infra = stage.home.path().join("infra");
    std::fs::create_dir(&infra).unwrap();
    let module =
        format!("output \"images\" {{\n  value = {{ api = {{ uri = \"{uri}\" }}, gone = \"{gone}\" }}\n}}\n");
    std::fs::write(infra.join("main.tf"), module).unwrap();
    for (tool, name) in [(Tool::Terraform, "terraform"), (Tool::OpenTofu, "tofu")] {
        let Ok(program) = stage.lab.tool(tool) else { continue };
        let mut apply = stage.command(&program);
        end(apply.current_dir(&infra).args(["apply", "-auto-approve"])).expect(0, &[]);
        let only = stage.home.path().join(name);
        std::fs::create_dir(&only).unwrap();
        std::os::unix::fs::symlink(program, only.join(name)).unwrap();
        let mut list = stage.plugin();
        list.env("HELM_BIN", stage.lab.tool(Tool::Helm4).unwrap()).env("PATH", only);
        list.args([
            "images",
            "list",
            &stage.name,
            "./web",
            "--cluster",
            &stage.cluster.name,
            "-n",
            &stage.name,
        ]);
        list.args(["--tf-dir", "infra", "--image"]);
        end(list.arg("image=terraform:images.api")).expect(0, &[&format!("image image = {uri}")]);
    }
    let outputs =
        json!({"api_image": {"sensitive": true, "type": "string", "value": uri}, "gone": {"value": gone}});
    write(&stage, "outputs.json", &outputs.to_string());
    let up = |name: &str| {
        let image = format!("image=terraform:{name}");
        end(stage.up(Tool::Helm4).args(["--image", &image, "--tf-output-file", "outputs.json"]))
    };
    up("gone").expect(3, &[&gone]);
    assert_eq!(stage.history(), []);
    up("api_image").expect(0, &[&format!("image image = {uri}")]);
    assert_eq!(stage.running(), [digest]);
}

/// The output says all that EKS would: the identity may not even ask. The lab's API server is no host of EKS, so that
/// the file has to name it.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_terraform_output_names_the_cluster() {
    let stage = Stage::set();
    let digest = stage.push("v1");
    let Cluster { name, endpoint, ca, .. } = &stage.cluster;
    let value = json!({"name": name, "region": REGION, "endpoint": endpoint, "ca": ca});
    let outputs = json!({"cluster": {"sensitive": false, "type": "dynamic", "value": value}});
    write(&stage, "outputs.json", &outputs.to_string());
    let file = |endpoint: &str| {
        format!(
            "version: 1\ncluster: {{terraform: cluster{endpoint}}}\nterraform: {{outputFile: outputs.json}}\nrelease: \
             {{name: {0}, chart: ./web, namespace: {0}, images: {{image: '{1}:v1'}}}}\n",
            stage.name, stage.repository
        )
    };
    let mut up = stage.plugin();
    up.env("HELM_BIN", stage.lab.tool(Tool::Helm4).unwrap())
        .env("AWS_ENDPOINT_URL_EKS", "http://127.0.0.1:1");
    up.args(["up", "--timeout", "60s"]);

    write(&stage, "eks-deploy.yaml", &file(""));
    let said = format!(
        "Terraform says that cluster `{name}` is reached at {endpoint}, which is no host of Amazon EKS"
    );
    end(&mut up).expect(4, &[&said, &format!("endpoint: {endpoint}}}`")]);
    assert_eq!(stage.history(), []);

    write(&stage, "eks-deploy.yaml", &file(&format!(", endpoint: '{endpoint}'")));
    let said = format!("the file sends this cluster's tokens to {endpoint}, which is no host of Amazon EKS");
    end(&mut up).expect(0, &[&said, "deployed as revision 1"]);
    assert_eq!(stage.running(), [digest]);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn the_file_says_what_the_command_line_does_not() {
    let stage = Stage::set();
    let digest = stage.push("v1");
    let file = format!(
        "version: 1\ncluster: {{name: {}, region: us-east-1, expect: {{account: '000000000000'}}}}\nrelease: {{name: \
         {name}, chart: ./web, namespace: {name}, images: {{image: '{}:v1'}}}}\n",
        stage.cluster.name,
        stage.repository,
        name = stage.name,
    );
    write(&stage, "eks-deploy.yaml", &file);
    let mut up = stage.plugin();
    up.env("HELM_BIN", stage.lab.tool(Tool::Helm4).unwrap());
    end(up.args(["up", "--timeout", "60s"])).expect(0, &["deployed as revision 1"]);
    assert_eq!(stage.running(), [digest]);
}

/// Said before anything is changed, while there is time to fetch others.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_13_credentials_that_end_too_soon_are_announced() {
    let stage = Stage::set();
    stage.push("v1");
    let Keys { id, secret } = &stage.user.keys;
    let script = format!(
        "#!/bin/sh\nend=$(date -u -d '+30 minutes' +%FT%TZ)\necho '{{\"Version\": 1, \"AccessKeyId\": \"{id}\", \
         \"SecretAccessKey\": \"{secret}\", \"SessionToken\": null, \"Expiration\": \"'$end'\"}}'\n"
    );
    write(&stage, "credentials", &script);
    write(&stage, "aws", "[profile short]\ncredential_process = sh credentials\n");
    let mut up = stage.up(Tool::Helm4);
    up.env("AWS_CONFIG_FILE", stage.chart().with_file_name("aws")).args(["--profile", "short"]);
    let ended = end(up.args(["--image", &image(&stage, "v1"), "--timeout", "60m"]));
    ended.expect(0, &["the credentials end in 29 minutes, and --timeout is 60m", "deployed as revision 1"]);
}
