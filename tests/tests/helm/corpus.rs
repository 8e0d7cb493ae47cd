//! Charts as people write them: each is pinned, most by values alone. Nothing is deployed but what has to be seen running.

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

const POD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME}\nspec:\n  containers:\n  - name: c\n    image: ";

/// A chart: what it shows, its values, its templates after `# templates/NAME` lines, what is typed besides, and how
/// its images are pinned. REPO is the repository, HOST and NAME its parts.
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
        "POD{{ .Values.image }}\n    image: {{ .Values.image }}",
        &[],
        Values,
    ),
    ("CRLF", "image: REPO:v1\r\n", "POD{{ .Values.image }}\r\n    env: []\r\n", &[], Values),
    (
        "a List",
        "image: REPO:v1",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: l}\n  spec: {containers: [{name: c, image: {{ .Values.image }}}]}",
        &[],
        Values,
    ),
    (
        "names that are made up anew each time",
        "image: REPO:v1",
        "POD{{ .Values.image }}\n    env: [{name: A, value: {{ randAlphaNum 8 }}}]",
        &[],
        Values,
    ),
    (
        "hooks, of which one is a test",
        "image: REPO:v1",
        "POD{{ .Values.image }}\n# templates/h.yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: h, annotations: {helm.sh/hook: pre-install}}\n\
         spec: {containers: [{name: c, image: {{ .Values.image }}}]}\n# templates/t.yaml\napiVersion: v1\nkind: Pod\n\
         metadata: {name: t, annotations: {helm.sh/hook: test}}\nspec: {containers: [{name: c, image: busybox}]}",
        &[],
        Values,
    ),
    (
        "its own kind, whose definition comes with it",
        "image: REPO:v1",
        "POD{{ .Values.image }}\n# templates/x.yaml\napiVersion: corpus.example/v1\nkind: Thing\nmetadata: {name: x}\n# crds/thing.yaml\n\
         apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.corpus.example}\nspec:\n\
         \x20 group: corpus.example\n  scope: Namespaced\n  names: {kind: Thing, plural: things}\n  versions: [{name: v1, served: true, storage: true, \
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
        "POD{{ .Values.image.repository }}:{{ .Values.image.tag }}\n    env: [{name: V, value: {{ .Values.image.tag }}}]",
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

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn charts_as_people_write_them_are_pinned() {
    let stage = Stage::set();
    let digest = stage.push("v1");
    let (host, name) = stage.repository.split_once('/').unwrap();
    let look = |(index, (what, values, files, flags, by)): (usize, &Row)| {
        let fill = |text: &str| {
            let text = text.replace("POD", &POD.replace("NAME", "pod")).replace("REPO", &stage.repository);
            text.replace("HOST", host).replace("NAME", name).replace("DIGEST", &digest)
        };
        let chart = stage.home.path().join(format!("corpus-{index}"));
        write(&chart, &fill(values), &fill(files));
        let mut command = stage.plugin();
        command
            .env("HELM_BIN", stage.lab.tool(Tool::Helm4).unwrap())
            .args(["images", "verify", "c"])
            .arg(&chart);
        command.args(["--cluster", &stage.cluster.name, "--namespace", &stage.name]);
        let ended = end(command.args(flags.iter().map(|flag| fill(flag))));
        judge(what, &ended, &digest, *by)
    };
    // Few at a time: each is two runs of Helm.
    let rows: Vec<_> = CHARTS.iter().enumerate().collect();
    let wrong: Vec<String> = rows
        .chunks(4)
        .flat_map(|some| {
            thread::scope(|scope| {
                let running: Vec<_> = some.iter().map(|row| scope.spawn(|| look(*row))).collect();
                running.into_iter().filter_map(|one| one.join().unwrap()).collect::<Vec<_>>()
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let avoided = CHARTS.iter().filter(|row| row.4 == Values).count();
    println!("of {} charts {avoided} were pinned without the post-renderer", CHARTS.len());
}

fn judge(what: &str, ended: &Ended, digest: &str, by: By) -> Option<String> {
    let rendered = ended.err.contains("by post-rendering");
    let right = ended.code == Some(0) && ended.out.contains(digest) && rendered == (by == PostRendering);
    (!right).then(|| format!("{what}: {by:?}\n{}\n{}", ended.out, ended.err))
}
