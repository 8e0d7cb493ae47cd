//! Charts as people write them: each is pinned, most by values alone, deployed, deployed again, and taken back.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;

use lab::tool::Tool;

use crate::stage::{Ended, Stage, end};

/// How the images of a chart get their digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Values,
    PostRendering,
}
use By::{PostRendering, Values};

/// Up to the image; what follows in the container stands five spaces in.
const POD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: RELEASE}\nspec:\n selector: {matchLabels: {app: RELEASE}}\n \
                   template:\n  metadata: {labels: {app: RELEASE}}\n  spec:\n   terminationGracePeriodSeconds: 0\n   containers:\n   - \
                   name: c\n     command: [sleep, '1000']\n     image: ";

/// A chart: what it shows, its values, its templates after `# templates/NAME` lines, what is typed besides, and how
/// its images are pinned. REPO is the repository, HOST and NAME its parts; RELEASE is the
/// release.
type Row = (&'static str, &'static str, &'static str, &'static [&'static str], By);

const CHARTS: &[Row] = &[
    (
        "helm create: the tag follows the chart",
        "image: {repository: REPO, tag: \"\", pullPolicy: Always}",
        "POD\"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"",
        &[],
        Values,
    ),
    (
        "registry, repository, tag and digest, joined in a helper",
        "image: {registry: HOST, repository: NAME, tag: v1, digest: \"\"}",
        "POD{{ include \"i\" . }}\n# templates/_h.tpl\n{{- define \"i\" }}{{ with .Values.image }}{{ .registry }}/{{ .repository }}\
         {{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}{{ end }}{{ end }}",
        &[],
        Values,
    ),
    ("one string", "image: REPO:v1", "POD{{ .Values.image }}", &[], Values),
    (
        "a registry for all, over the image's own",
        "global: {imageRegistry: HOST}\nimage: {registry: r.invalid, repository: NAME, tag: v1}",
        "POD{{ .Values.global.imageRegistry | default .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}",
        &[],
        PostRendering,
    ),
    (
        "the tag is a label too",
        "image: {repository: REPO, tag: v1}",
        "POD{{ .Values.image.repository }}:{{ .Values.image.tag }}\n# templates/m.yaml\napiVersion: v1\nkind: ConfigMap\n\
         metadata: {name: m, labels: {v: {{ .Values.image.tag }}}}",
        &[],
        PostRendering,
    ),
    (
        "a schema that takes no digest for a tag",
        "image: {repository: REPO, tag: v1}",
        "POD{{ .Values.image.repository }}:{{ .Values.image.tag }}\n# values.schema.json\n\
         {\"properties\": {\"image\": {\"properties\": {\"tag\": {\"pattern\": \"^[a-z0-9]+$\"}}}}}",
        &[],
        PostRendering,
    ),
    ("the image is in the template", "{}", "PODREPO:v1 # as it was", &[], PostRendering),
    (
        "keys that are there twice",
        "image: REPO:v1",
        "POD{{ .Values.image }}\n     image: {{ .Values.image }}",
        &[],
        Values,
    ),
    ("CRLF", "image: REPO:v1\r\n", "POD{{ .Values.image }}\r\n     env: []\r\n", &[], Values),
    (
        "a List",
        "image: REPO:v1",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: RELEASE}\n  spec:\n    selector: \
         {matchLabels: {app: RELEASE}}\n    template:\n      metadata: {labels: {app: RELEASE}}\n      spec: {terminationGracePeriodSeconds: 0, \
         containers: [{name: c, command: [sleep, '1000'], image: {{ .Values.image }}}]}",
        &[],
        Values,
    ),
    (
        "names that are made up anew each time",
        "image: REPO:v1",
        "POD{{ .Values.image }}\n     env: [{name: A, value: {{ randAlphaNum 8 }}}]",
        &[],
        Values,
    ),
    (
        "hooks, of which one is a test",
        "image: REPO:v1",
        "POD{{ .Values.image }}\n# templates/h.yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: h, annotations: {helm.sh/hook: pre-install}}\n\
         spec: {restartPolicy: Never, containers: [{name: c, image: {{ .Values.image }}}]}\n# templates/t.yaml\napiVersion: v1\nkind: Pod\n\
         metadata: {name: t, annotations: {helm.sh/hook: test}}\nspec: {containers: [{name: c, image: busybox}]}",
        &[],
        Values,
    ),
    (
        "its own kind, whose definition comes with it",
        "image: REPO:v1",
        "POD{{ .Values.image }}\n# templates/x.yaml\napiVersion: NAME.example/v1\nkind: Thing\nmetadata: {name: x}\n# crds/thing.yaml\n\
         apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.NAME.example}\nspec:\n\
         \x20 group: NAME.example\n  scope: Namespaced\n  names: {kind: Thing, plural: things}\n  versions: [{name: v1, served: true, storage: true, \
         schema: {openAPIV3Schema: {type: object}}}]",
        &[],
        Values,
    ),
    (
        "a subchart by another name, and a library",
        "worker: {image: {repository: REPO, tag: v1}}",
        "# Chart.yaml\napiVersion: v2\nname: c\nversion: 0.1.0\nappVersion: v1\ndependencies: [{name: sub, version: 0.1.0, alias: worker}, {name: lib, version: 0.1.0}]\n\
         # charts/sub/Chart.yaml\napiVersion: v2\nname: sub\nversion: 0.1.0\n# charts/sub/values.yaml\nimage: {repository: x, tag: y}\n\
         # charts/sub/templates/p.yaml\nPOD{{ include \"lib.image\" .Values.image }}\n# charts/lib/Chart.yaml\napiVersion: v2\nname: lib\n\
         version: 0.1.0\ntype: library\n# charts/lib/templates/_l.tpl\n{{- define \"lib.image\" }}{{ .repository }}:{{ .tag }}{{ end }}",
        &[],
        Values,
    ),
    (
        "an image that is named, with a digest, for a tag that is a label",
        "image: {repository: r.invalid/x, tag: none}",
        "POD{{ .Values.image.repository }}:{{ .Values.image.tag }}\n     env: [{name: V, value: {{ .Values.image.tag }}}]",
        &["--image=image=REPO@DIGEST"],
        PostRendering,
    ),
    (
        "a chart of a megabyte",
        "image: REPO:v1",
        "POD{{ .Values.image }}\n# templates/big.yaml\n{{- range $i := until 16 }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: big-{{ $i }}}\n\
         data: {text: \"{{ repeat 8000 \"12345678\" }}\"}\n{{- end }}",
        &[],
        Values,
    ),
];

/// A line `# NAME.EXTENSION` begins a file.
fn write(chart: &Path, values: &str, text: &str) {
    let metadata = "apiVersion: v2\nname: c\nversion: 0.1.0\nappVersion: v1\n";
    let given = [("values.yaml", values), ("Chart.yaml", metadata)];
    let mut files = BTreeMap::from(given.map(|(name, text)| (name.to_owned(), text.to_owned())));
    let mut name = "templates/pod.yaml";
    for line in text.split_inclusive('\n') {
        match line
            .strip_prefix("# ")
            .map(str::trim_end)
            .filter(|rest| rest.contains('.') && !rest.contains(' '))
        {
            Some(next) => {
                name = next;
                files.remove(name);
            }
            None => files.entry(name.to_owned()).or_default().push_str(line),
        }
    }
    for (name, text) in files {
        let path = chart.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// The charts of a stage.
struct Corpus {
    stage: Stage,
    helm: Tool,
    digest: String,
}

impl Corpus {
    fn write(helm: Tool) -> Self {
        let stage = Stage::set();
        let digest = stage.push("v1");
        let corpus = Self { stage, helm, digest };
        for (index, (_, values, files, _, _)) in CHARTS.iter().enumerate() {
            let chart = corpus.stage.home.path().join(format!("corpus-{index}"));
            write(&chart, &corpus.fill(index, values), &corpus.fill(index, files));
        }
        corpus
    }

    fn fill(&self, index: usize, text: &str) -> String {
        let repository = &self.stage.repository;
        let (host, name) = repository.split_once('/').unwrap();
        let text =
            text.replace("POD", POD).replace("RELEASE", &format!("c{index}")).replace("REPO", repository);
        text.replace("HOST", host).replace("NAME", name).replace("DIGEST", &self.digest)
    }

    /// A verb about a chart's release.
    fn run(&self, index: usize, verb: &[&str]) -> Ended {
        let (release, chart) = (format!("c{index}"), format!("./corpus-{index}"));
        let mut command = self.stage.plugin();
        command.env("HELM_BIN", self.stage.lab.tool(self.helm).unwrap()).args(verb).arg(release);
        if verb != ["rollback"] {
            command.arg(chart).args(CHARTS[index].3.iter().map(|flag| self.fill(index, flag)));
        }
        end(command.args(["--cluster", &self.stage.cluster.name, "--namespace", &self.stage.name]))
    }

    /// Few at a time: each is several runs of Helm.
    fn all(&self, which: &[usize], look: impl Fn(&Self, usize) -> Option<String> + Sync) {
        let wrong: Vec<String> = which
            .chunks(4)
            .flat_map(|some| {
                thread::scope(|scope| {
                    let running: Vec<_> =
                        some.iter().map(|index| scope.spawn(|| look(self, *index))).collect();
                    running.into_iter().filter_map(|one| one.join().unwrap()).collect::<Vec<_>>()
                })
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Whether it went well, and the cluster was given this digest.
    fn deployed(&self, index: usize, ended: &Ended, revision: u64, digest: &str) -> Option<String> {
        let said = ended.err.contains(&format!("release c{index} is deployed as revision {revision}"));
        let path = "--output=jsonpath={..image}";
        let image = if said {
            self.stage.kubectl(&["get", "deployment", &format!("c{index}"), path])
        } else {
            String::new()
        };
        (!image.ends_with(digest)).then(|| format!("{}: `{image}`\n{}", CHARTS[index].0, ended.err))
    }

    /// The tag moves between two deployments of the same chart, which goes back to what it pointed to. Without values Helm
    /// would take the pinned ones of the first again.
    fn live(&self, which: &[usize]) {
        let first = self.digest.as_str();
        self.all(which, |corpus, index| {
            let ended = corpus.run(index, &["up"]);
            let rendered = ended.err.contains("by post-rendering");
            let wrong = (rendered != (CHARTS[index].4 == PostRendering)).then(|| ended.err.clone());
            wrong.or_else(|| corpus.deployed(index, &ended, 1, first))
        });
        let moved = self.stage.push_labelled("v1", "moved");
        self.all(which, |corpus, index| {
            let named = corpus.fill(index, &CHARTS[index].3.concat()).contains(first);
            let next = if named { first } else { &moved };
            corpus.deployed(index, &corpus.run(index, &["up", "--reset-values"]), 2, next)
        });
        self.all(which, |corpus, index| corpus.deployed(index, &corpus.run(index, &["rollback"]), 3, first));
        assert!(self.stage.left_over().is_empty(), "{:?}", self.stage.left_over());
    }
}

fn judge(corpus: &Corpus, index: usize) -> Option<String> {
    let ended = corpus.run(index, &["images", "verify"]);
    let (what, .., by) = CHARTS[index];
    let rendered = ended.err.contains("by post-rendering");
    let right =
        ended.code == Some(0) && ended.out.contains(&corpus.digest) && rendered == (by == PostRendering);
    (!right).then(|| format!("{what}: {by:?}\n{}\n{}", ended.out, ended.err))
}

/// The charts that are pinned so.
fn pinned(by: By) -> Vec<usize> {
    (0..CHARTS.len()).filter(|index| CHARTS[*index].4 == by).collect()
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn charts_as_people_write_them_are_pinned() {
    let corpus = Corpus::write(Tool::Helm4);
    corpus.all(&[pinned(Values), pinned(PostRendering)].concat(), judge);
    println!("of {} charts {} were pinned without the post-renderer", CHARTS.len(), pinned(Values).len());
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn charts_as_people_write_them_are_deployed_and_taken_back() {
    let corpus = Corpus::write(Tool::Helm4);
    corpus.live(&[pinned(Values), pinned(PostRendering)].concat());
    let definition = format!("things.{}.example", corpus.stage.name);
    corpus.stage.kubectl(&["delete", "customresourcedefinition", &definition, "--wait=false"]);
}

/// Helm 3 has another post-renderer.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn charts_that_values_cannot_pin_are_deployed_and_taken_back_by_helm_3() {
    Corpus::write(Tool::Helm3).live(&pinned(PostRendering));
}
