//! The program from outside, without Helm, without AWS: what it prints, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The program in an empty world.
fn program(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eks-deploy"));
    command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").args(arguments.split_whitespace());
    for file in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        command.env(file, "/dev/null");
    }
    command
}

fn with_keys(arguments: &str) -> Command {
    let mut command = program(arguments);
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn check(command: &mut Command, code: i32, said: &[&str]) -> Output {
    let output = command.output().unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{command:?}\n{out}\n{err}");
    for part in said {
        assert!(out.contains(part) || err.contains(part), "{command:?}: `{part}` is not in\n{out}\n{err}");
    }
    output
}

#[test]
fn packages_bring_a_reference() {
    let schema = check(&mut program("schema"), 0, &["eks-deploy.yaml", "allowUnpinned"]);
    let published = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/eks-deploy.schema.json")).unwrap();
    assert!(schema.stdout == published);
    let folder = tempfile::tempdir().unwrap();
    check(program("man").arg(folder.path()), 0, &[]);
    let up = fs::read_to_string(folder.path().join("eks-deploy-up.1")).unwrap();
    for part in ["EKS_DEPLOY_CLUSTER", "rollback\\-on\\-failure", "the release failed and was rolled back"] {
        assert!(up.contains(part), "{part} is not in:\n{up}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        check(&mut program(&format!("completion {shell}")), 0, &["eks-deploy", "kubeconfig"]);
    }
}

#[test]
fn a_token_answers_the_question_it_was_asked() {
    let mut command = with_keys("token --cluster-name prod --region eu-west-1");
    let question = r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}}"#;
    let output = check(command.env("KUBERNETES_EXEC_INFO", question), 0, &[]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["apiVersion"], "client.authentication.k8s.io/v1");
    assert!(answer["status"]["token"].as_str().unwrap().starts_with("k8s-aws-v1."));
}

#[test]
fn a_token_is_never_signed_for_another_endpoint() {
    let mut command = with_keys("token --cluster-name prod --region eu-west-1 --token-only");
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1");
    let output = check(&mut command, 0, &["k8s-aws-v1."]);
    let encoded = text(&output.stdout).trim().trim_start_matches("k8s-aws-v1.").to_owned();
    let url = URL_SAFE_NO_PAD.decode(encoded).unwrap();
    assert!(text(&url).starts_with("https://sts.eu-west-1.amazonaws.com/?"), "{}", text(&url));
}

#[test]
fn a_token_that_cannot_be_made_says_why() {
    check(&mut with_keys("token --cluster-name prod"), 64, &["no region was named", "pass --region"]);
    check(&mut program("token --cluster-name prod --region eu-west-1"), 4, &["no AWS credentials found"]);
    check(&mut with_keys("token --region eu-west-1"), 64, &["--cluster-name"]);
    let mut command = with_keys("token --cluster-name prod --region eu-west-1");
    command.env("KUBERNETES_EXEC_INFO", r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1"}"#);
    check(&mut command, 64, &["KUBERNETES_EXEC_INFO is not an ExecCredential"]);
}

#[test]
fn help_is_an_answer_and_a_mistake_is_not() {
    let output = check(&mut program(""), 0, &["Usage: eks-deploy", "Exit codes:"]);
    assert!(output.stderr.is_empty());
    check(
        &mut program("up --help"),
        0,
        &["Examples:", "EKS_DEPLOY_CLUSTER", "--image <PATH=REF>", "--timeout"],
    );
    check(&mut program("--version"), 0, &[env!("CARGO_PKG_VERSION")]);
    check(&mut program("pu"), 64, &["unrecognized subcommand 'pu'"]);
    check(&mut program("up web ./web --timout 3m"), 64, &["--timout", "--timeout"]);
    check(
        &mut program("up web ./web --image a"),
        64,
        &["`a` is not of the form PATH=REF or PATH=terraform:OUTPUT"],
    );
}

#[test]
fn settings_that_do_not_do_end_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let up = |arguments: &str| {
        let mut command = with_keys(&format!("up {arguments}"));
        command.current_dir(folder.path()).env("TMPDIR", folder.path());
        command
    };
    check(&mut up("web ./web -n shop"), 64, &["no cluster was named", "EKS_DEPLOY_CLUSTER"]);
    check(&mut up("web ./web --cluster prod"), 64, &["no namespace was named"]);
    let mut missing = up("web ./web -n shop --cluster prod --region eu-west-1");
    check(missing.env("PATH", folder.path()), 1, &["helm is not on PATH", "HELM_BIN"]);
    let mut unset = up("web ./web --tf-output-file out.json --cluster prod --region eu-west-1");
    for name in ["CONFIG", "TF_DIR", "TF_OUTPUT_FILE", "CLUSTER", "NAMESPACE", "PROFILE", "ROLE_ARN"] {
        unset.env(format!("EKS_DEPLOY_{name}"), "");
    }
    check(&mut unset, 64, &["no namespace was named"]);
    check(unset.env("EKS_DEPLOY_TF_DIR", "infra"), 64, &["--tf-dir", "cannot be used with"]);
    let mut unlocked = up("web ./web -n shop --cluster prod --region eu-west-1 --lock none.lock");
    let helm = std::env::current_exe().unwrap(); // found, and not run
    check(unlocked.env("HELM_BIN", helm), 64, &["cannot use the lock file `none.lock`", "write it first"]);
    check(&mut up("web ./web -n shop --cluster prod --locked"), 64, &["--lock <FILE>"]);
    fs::write(folder.path().join("eks-deploy.yaml"), "version: 1\nclusters: {}\n").unwrap();
    check(&mut up("web ./web -n shop"), 64, &["unknown field `clusters`"]);
    let private = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let left: Vec<_> =
        private.filter(|path| path.is_dir()).flat_map(|base| fs::read_dir(base).unwrap()).collect();
    assert!(left.iter().all(|entry| entry.as_ref().unwrap().file_name() == "lock"), "{left:?}");
}

#[test]
fn a_service_that_does_not_answer_is_explained_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let helm = folder.path().join("helm");
    let script = folder.path().join("script");
    fs::write(&script, "#!/bin/sh\necho v4.3.1\n").unwrap();
    // Not written by this process: what another test starts would hold it open for writing, and it could not run.
    let installed = Command::new("install").arg("-m700").args([&script, &helm]).status();
    assert!(installed.unwrap().success());
    let mut up = with_keys("up web ./web -n shop --cluster prod --region eu-west-1");
    up.current_dir(folder.path()).env("TMPDIR", folder.path()).env("HELM_BIN", helm);
    let output = check(up.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), 4, &[]);
    assert_eq!(
        text(&output.stderr),
        "error: eks:DescribeCluster failed for cluster `prod` in region eu-west-1\n  \
         caused by: no answer: Connection refused (os error 111)\n\
         hint: check the network, a proxy, the region and AWS_ENDPOINT_URL\n"
    );
}

/// The verb that becomes Helm does so for the parent that it was started by, and for nobody else.
#[test]
fn rule_5_helm_is_started_for_a_living_parent_only() {
    let started = |parent: u32| {
        let mut command = program("__helm");
        command.arg(parent.to_string()).args(["/bin/echo", "I am helm"]);
        command
    };
    check(&mut started(std::process::id()), 0, &["I am helm"]);
    let refused = check(&mut started(1), 1, &["cannot run helm: eks-deploy has ended"]);
    assert!(refused.stdout.is_empty());
}

#[test]
fn the_plugin_has_the_programs_version() {
    // Helm 3 drops all plugins over a manifest of the new form.
    for (manifest, is_new) in [("plugin.yaml", false), ("helm4/plugin.yaml", true)] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest)).unwrap();
        let has = |line: &str| text.lines().any(|found| found.trim() == line);
        assert!(has(concat!("version: ", env!("CARGO_PKG_VERSION"))), "{text}");
        assert!(has(r#"command: "$HELM_PLUGIN_DIR\\bin\\eks-deploy.exe""#), "{text}");
        assert_eq!(has("apiVersion: v1"), is_new, "{text}");
    }
}

/// A folder whose file names a cluster by a Terraform output that says all, so that EKS need not be asked.
fn folder_with_a_cluster() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let cluster = serde_json::json!({
        "name": "prod",
        "arn": "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
        "region": "eu-west-1",
        "endpoint": "https://A1.gr7.eu-west-1.eks.amazonaws.com",
        "ca": "Q0E=",
    });
    let outputs = serde_json::json!({"cluster": {"value": cluster, "type": "dynamic", "sensitive": false}});
    fs::write(folder.path().join("out.json"), outputs.to_string()).unwrap();
    let file = "version: 1\ncluster: {terraform: cluster}\nterraform: {outputFile: out.json}\n";
    fs::write(folder.path().join("eks-deploy.yaml"), file).unwrap();
    folder
}

#[test]
fn a_kubeconfig_is_printed_and_written() {
    let folder = folder_with_a_cluster();
    let kubeconfig = |arguments: &str| {
        let mut command = with_keys(&format!("kubeconfig {arguments}"));
        command.current_dir(folder.path()).env("HOME", folder.path());
        command
    };
    let printed = check(&mut kubeconfig("print -n shop --alias here"), 0, &[]);
    let printed: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed["contexts"][0]["context"]["namespace"], "shop");
    assert_eq!(printed["users"][0]["user"]["exec"]["command"], env!("CARGO_BIN_EXE_eks-deploy"));
    check(
        &mut kubeconfig("write"),
        0,
        &["context arn:aws:eks:eu-west-1:123456789012:cluster/prod is in", "/.kube/config"],
    );
    check(kubeconfig("write --alias here --keep-current").env("KUBECONFIG", ":.kube/config:other"), 0, &[]);
    let written = fs::read_to_string(folder.path().join(".kube/config")).unwrap();
    assert!(written.contains("current-context: arn:aws:eks") && written.contains("name: here"), "{written}");
    assert!(!written.contains("secret") && !folder.path().join("other").exists());
    let mut nowhere = kubeconfig("write");
    check(nowhere.env_remove("HOME"), 64, &["no kubeconfig file to write to", "pass --file"]);
    check(&mut kubeconfig("print --expect-account 210987654321"), 4, &["account 210987654321 was expected"]);
}

#[test]
fn rule_17_a_command_gets_a_kubeconfig_that_goes_with_it() {
    let folder = folder_with_a_cluster();
    let exec = |script: &str| {
        let mut command = with_keys("exec -n shop -- sh -c");
        command.arg(script).current_dir(folder.path()).env("TMPDIR", folder.path());
        command
    };
    let output =
        check(&mut exec("echo $KUBECONFIG; cat $KUBECONFIG; exit 7"), 7, &["\"namespace\":\"shop\""]);
    let path = text(&output.stdout).lines().next().unwrap().to_owned();
    assert!(Path::new(&path).starts_with(folder.path()) && !Path::new(&path).exists(), "{path}");
    check(&mut exec("kill -TERM $$"), 143, &[]);
    check(exec("true").env("HELM_PLUGIN_NAME", "eks-deploy"), 64, &["does not work below helm"]);
    let mut missing = with_keys("exec -- /nonexistent");
    check(missing.current_dir(folder.path()).env("TMPDIR", folder.path()), 1, &["cannot run `/nonexistent`"]);
    check(&mut with_keys("exec"), 64, &["COMMAND"]);
}

#[test]
fn completions_and_versions() {
    for shell in ["bash", "zsh", "fish"] {
        check(&mut program(&format!("completion {shell}")), 0, &["kubeconfig", "expect-account"]);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut alone = program("version");
    let says = concat!("eks-deploy ", env!("CARGO_PKG_VERSION"), "\n");
    let output =
        check(alone.env("PATH", folder.path()).env("TMPDIR", folder.path()), 0, &["helm is not on PATH"]);
    assert_eq!(text(&output.stdout), says);
}

/// Clients ask for a token again and again; the credentials are found once, by the process that a person started.
#[test]
fn rule_13_the_children_of_a_command_ask_for_tokens_and_not_for_credentials() {
    let folder = folder_with_a_cluster();
    let keys = r#"{"Version":1,"AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":"hunter2"}"#;
    fs::write(folder.path().join("source"), format!("echo asked >> asked\necho '{keys}'\n")).unwrap();
    fs::write(folder.path().join("config"), "[default]\ncredential_process = sh source\n").unwrap();
    let own = env!("CARGO_BIN_EXE_eks-deploy");
    let token = format!("{own} token --cluster-name prod --region eu-west-1 --token-only --from");
    let script = format!("cat $KUBECONFIG; for i in 1 2; do {token} $(dirname $KUBECONFIG)/tokens; done");
    let mut exec = program("exec -- sh -c");
    exec.arg(script).env("AWS_CONFIG_FILE", "config").env("PATH", std::env::var_os("PATH").unwrap());
    exec.current_dir(folder.path()).env("TMPDIR", folder.path());
    let output = text(&check(&mut exec, 0, &[r#""--from","#]).stdout);
    assert_eq!(output.matches("k8s-aws-v1.").count(), 2, "{output}");
    assert!(!output.contains("hunter2"));
    assert_eq!(fs::read_to_string(folder.path().join("asked")).unwrap(), "asked\n");
    let mut late = program("token --cluster-name prod --from");
    let said = "eks-deploy, which started this, gives no token";
    check(late.arg(folder.path().join("tokens")), 4, &[said]);
}
