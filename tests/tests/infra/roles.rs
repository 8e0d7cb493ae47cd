//! The roles of `examples/ci`, as a pipeline has them: sessions begun by its token, and our programs run in them.

use std::fs;
use std::process::Stdio;

use lab::aws::{ACCOUNT, Keys, REGION};
use lab::base;
use lab::cluster::Cluster;
use lab::lab::Lab;
use lab::process::{LONG, poll_until, run, run_with_input};
use lab::programs::Programs;
use lab::tool::Tool;
use lab::tool::terraform::clis;
use serde_json::{Value, json};

use crate::session::Session;
use crate::stack::{Outcome, Stack};

const MAIN: &str = "project_path:acme/shop:project_id:42:ref_type:branch:ref:main";
const FEATURE: &str = "project_path:acme/shop:project_id:42:ref_type:branch:ref:feature";
/// The project of the same name that somebody made after the first was deleted.
const IMPOSTOR: &str = "project_path:acme/shop:project_id:43:ref_type:branch:ref:main";

const CUSTOM_RESOURCE: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object}}
";

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn of_a_pipeline() {
    for cli in clis(Tool::Terraform) {
        let Some(pipeline) = Pipeline::set_up(cli) else { continue };
        pipeline.are_trusted_by_place_and_number();
        pipeline.plan_writes_nothing();
        pipeline.build_pushes_to_its_repository_and_no_other();
        pipeline.deploy_works_in_its_namespace_and_no_other();
        pipeline.take_down();
    }
}

struct Pipeline {
    bootstrap: Stack,
    cli: Tool,
    cluster: Cluster,
    /// Of the service, its namespace, its state and its cluster.
    name: String,
    roles: Value,
}

impl Pipeline {
    fn set_up(cli: Tool) -> Option<Self> {
        let bootstrap = Stack::copy(cli, "examples/ci/bootstrap")?;
        let name = bootstrap.lab.unique("ci");
        let cluster = Cluster::create(&bootstrap.lab, &name).unwrap();
        let bootstrap = bootstrap
            .set("name", &name)
            .set("bucket", &format!("{name}-state"))
            .set("gitlab", &json!({"project": "acme/shop", "project_id": "42"}).to_string())
            .set("cluster_arn", &format!("arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}"))
            .set("custom_resources", &json!({"example.com": ["widgets"]}).to_string())
            .set("force_delete", "true");
        bootstrap.init();
        bootstrap.apply().unwrap();
        bootstrap.plans_nothing();
        let roles = bootstrap.json("roles");
        Some(Self { bootstrap, cli, cluster, name, roles })
    }

    fn lab(&self) -> &Lab {
        &self.bootstrap.lab
    }

    fn assume(&self, role: &str, subject: &str, audience: &str) -> Result<Session, String> {
        let claims = json!({"iss": "https://gitlab.com", "aud": audience, "sub": subject});
        Session::by_web_identity(self.lab(), self.roles[role].as_str().unwrap(), &claims)
    }

    fn session(&self, role: &str) -> Session {
        self.assume(role, MAIN, "sts.amazonaws.com").unwrap()
    }

    fn are_trusted_by_place_and_number(&self) {
        let check = |role: &str, subject: &str, audience: &str, expected: bool| {
            let session = self.assume(role, subject, audience);
            assert_eq!(session.is_ok(), expected, "{role} {subject} {audience}");
            assert!(session.err().is_none_or(|error| error.contains("AccessDenied")));
        };
        for role in ["plan", "build", "deploy"] {
            check(role, MAIN, "sts.amazonaws.com", true);
            check(role, FEATURE, "sts.amazonaws.com", role == "plan");
            check(role, IMPOSTOR, "sts.amazonaws.com", false);
            check(role, MAIN, "https://gitlab.com", false);
        }
    }

    /// The service's configuration, with this state, for a caller.
    fn service(&self, caller: Session, repository: &str, state: &str) -> Result<Stack, String> {
        let stack = Stack::copy(self.cli, "examples/ci/service").unwrap();
        let stack = stack
            .under(caller)
            .set("repository", repository)
            .set("release", "v1")
            .set("base", &format!("{}:base", self.repository()));
        let bucket = format!("-backend-config=bucket={}-state", self.name);
        let key = format!("-backend-config=key={state}/terraform.tfstate");
        stack.run(&["init", &bucket, &key, &format!("-backend-config=region={REGION}")])?;
        Ok(stack)
    }

    fn repository(&self) -> String {
        format!("{}/{}/web", base::registry(), self.name)
    }

    /// The tags in a repository, whose name is without the registry's.
    fn tags(&self, repository: &str) -> Vec<String> {
        let aws = lab::aws::Aws::at(self.lab().front(), Keys::root());
        let images = aws.ecr("ListImages", &json!({ "repositoryName": repository })).unwrap();
        let mut tags: Vec<_> = images["imageIds"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|image| image["imageTag"].as_str().map(str::to_owned))
            .collect();
        tags.sort();
        tags
    }

    fn plan_writes_nothing(&self) {
        let web = format!("{}/web", self.name);
        let crane = self.lab().tool(Tool::Crane).unwrap();
        let address = self.lab().ministack();
        let busybox = self.lab().busybox();
        let (_, busybox) = busybox.split_once('/').unwrap();
        let mut copy = self.lab().command(crane, &Keys::root());
        copy.args(["copy", "--insecure", &format!("{address}/{busybox}"), &format!("{address}/{web}:base")]);
        run(&mut copy, LONG).unwrap();

        let service = self.service(self.session("plan"), &self.repository(), &self.name).unwrap();
        let plan = service.run(&["plan", "-lock=false"]).unwrap();
        assert!(plan.contains("1 to add"), "{plan}");
        refused(&service.run(&["plan"]), "Error acquiring the state lock");
        refused(&service.run(&["apply", "-auto-approve", "-lock=false"]), "caused by: not allowed");
        assert_eq!(self.tags(&web), ["base"]);
        // A state that could be written would be empty now, and there is none.
        let build = self.service(self.session("build"), &self.repository(), &self.name).unwrap();
        refused(&build.run(&["state", "list"]), "No state file was found");
    }

    fn build_pushes_to_its_repository_and_no_other(&self) {
        let other = format!("{}-other/web", self.name);
        self.lab().root().ecr("CreateRepository", &json!({ "repositoryName": other })).unwrap();
        let build = self.session("build");
        let there = format!("{}/{other}", base::registry());
        let stray = self.service(build.clone(), &there, &self.name).unwrap();
        refused(&stray.apply(), "caused by: not allowed");
        assert_eq!(self.tags(&other), Vec::<String>::new());

        let service = self.service(build.clone(), &self.repository(), &self.name).unwrap();
        service.apply().unwrap();
        service.plans_nothing();
        let tags = self.tags(&format!("{}/web", self.name));
        for tag in ["latest", "deployed-production", "v1"] {
            assert!(tags.iter().any(|there| there == tag), "{tags:?}");
        }

        let foreign = self.service(build, &self.repository(), "bootstrap").and_then(|stack| stack.apply());
        refused(&foreign, "403");
        self.lab().root().ecr("DeleteRepository", &json!({ "repositoryName": other })).unwrap();
    }

    fn deploy_works_in_its_namespace_and_no_other(&self) {
        let other = format!("{}-other", self.name);
        let rbac = self.bootstrap.output("deploy_rbac");
        let manifest = format!(
            "{CUSTOM_RESOURCE}---\n{rbac}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {other}}}\n"
        );
        let mut apply = self.cluster.kubectl(self.lab());
        run_with_input(apply.args(["apply", "--filename=-"]), LONG, |input| {
            Ok(input.write_all(manifest.as_bytes())?)
        })
        .unwrap();
        self.kubectl(&["wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=60s"]);
        poll_until("the access policy holds in the namespace", LONG, || {
            let bindings = self.kubectl(&["get", "rolebindings", "--namespace", &self.name, "--output=name"]);
            Ok((bindings.lines().count() > 1).then_some(()))
        })
        .unwrap();

        let build = self.service(self.session("build"), &self.repository(), &self.name).unwrap();
        let image = build.output("image");
        self.up(&self.name, &image).unwrap();
        let seen = self.kubectl(&["get", "pods,widgets", "--namespace", &self.name, "--output=json"]);
        let (_, digest) = image.split_once('@').unwrap();
        assert!(seen.contains(digest) && seen.contains("\"kind\": \"Widget\""), "{seen}");

        refused(&self.up(&other, &image), "may not do this in cluster");
        let seen = self.kubectl(&[
            "get",
            "deployments,services,secrets,widgets",
            "--namespace",
            &other,
            "--output=name",
        ]);
        assert_eq!(seen, "");
    }

    /// What the pipeline's last job runs, with a chart that brings a custom resource.
    fn up(&self, namespace: &str, image: &str) -> Outcome {
        let chart = self.bootstrap.root.path().join("examples/ci/chart");
        let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: {{ .Release.Name }}}\n";
        fs::write(chart.join("templates/widget.yaml"), widget).unwrap();
        let home = tempfile::tempdir().unwrap();
        let plugin = Programs::built().unwrap().plugin;
        let mut command = self.session("deploy").command(self.lab(), &plugin);
        command
            .env("HELM_BIN", self.lab().tool(Tool::Helm4).unwrap())
            .env("HOME", home.path())
            .env_remove("CI");
        command.env("KUBECONFIG", home.path().join("none")).stdin(Stdio::null());
        command.args(["up", "web"]).arg(&chart).args(["--namespace", namespace, "--cluster", &self.name]);
        command.args(["--timeout", "5m", "--image", &format!("image={image}")]);
        run(&mut command, LONG).map_err(|error| format!("{error:#}"))
    }

    /// As an administrator sees the cluster.
    fn kubectl(&self, arguments: &[&str]) -> String {
        run(self.cluster.kubectl(self.lab()).args(arguments), LONG).unwrap()
    }

    fn take_down(&self) {
        self.bootstrap.unprotect("examples/ci/bootstrap/main.tf");
        let role = format!("{}-ci-plan", self.name);
        self.bootstrap.destroy(|lab| lab.root().query("iam", "GetRole", &[("RoleName", &role)]).is_err());
        self.cluster.delete(self.lab()).unwrap();
    }
}

#[track_caller]
fn refused(outcome: &Outcome, said: &str) {
    let error = outcome.as_ref().unwrap_err();
    assert!(error.contains(said), "{error}");
}
