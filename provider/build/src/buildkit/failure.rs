//! What went wrong in BuildKit, in words a person can act on: which step, which line, what it last said.

use bollard_buildkit_proto::google::rpc;
use prost::Message;
use serde::Deserialize;
use tonic::Status;

use super::{
    log::{Log, Step},
    steps::line_of,
};
use crate::{
    build_error::{BuildError, StepFailure},
    dockerfile::Dockerfile,
};

/// What the layers of BuildKit put before the cause.
const WRAPPINGS: [&str; 8] = [
    "failed to solve: ",
    "failed to solve with frontend dockerfile.v0: ",
    "failed to solve with frontend gateway.v0: ",
    "failed to create LLB definition: ",
    "failed to build LLB: ",
    "rpc error: code = Unknown desc = ",
    "rpc error: code = NotFound desc = ",
    "dockerfile parse error: ",
];

/// The error of a build that failed with this status.
pub(super) fn explain(
    status: &Status,
    log: &Log,
    target: Option<&str>,
    dockerfile: Option<&Dockerfile>,
) -> BuildError {
    let message = unwrapped(status.message());
    if let Some(target) = target.filter(|target| misses(message, target)) {
        let stages = dockerfile.into_iter().flat_map(Dockerfile::stage_names).map(str::to_owned).collect();
        return BuildError::NoStage { target: target.to_owned(), stages };
    }
    let failed = log.failed();
    let image = failed.and_then(|step| step.name.split_once("] load metadata for "));
    if let Some((_, image)) = image {
        return BuildError::FromImage { image: image.to_owned(), message: message.to_owned() };
    }
    BuildError::Step(Box::new(StepFailure {
        step: failed.map(|step| step.name.clone()),
        line: line(status).or_else(|| line_of(dockerfile?, &failed?.name)),
        message: message.to_owned(),
        log: failed.map(Step::last_lines).unwrap_or_default(),
        hint: None,
    }))
}

/// The path of the context that a step lacks.
pub(super) fn not_found(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("\"/")?;
    let (path, rest) = rest.split_once('"')?;
    rest.contains("not found").then_some(path)
}

/// Old and new BuildKit differ in the quotes.
fn misses(message: &str, target: &str) -> bool {
    [target.to_owned(), format!("\"{target}\"")]
        .iter()
        .any(|name| message.contains(&format!("target stage {name} could not be found")))
}

fn unwrapped(message: &str) -> &str {
    let mut message = message.trim();
    while let Some(rest) = WRAPPINGS.iter().find_map(|wrapping| message.strip_prefix(wrapping)) {
        message = rest;
    }
    message
}

/// The line of the Dockerfile, where BuildKit says which, counted from 1.
fn line(status: &Status) -> Option<u32> {
    #[derive(Deserialize)]
    struct Source {
        ranges: Vec<Range>,
    }
    #[derive(Deserialize)]
    struct Range {
        start: Position,
    }
    #[derive(Deserialize)]
    struct Position {
        line: u32,
    }
    let details = rpc::Status::decode(status.details()).ok()?.details;
    let source = details.iter().find(|detail| detail.type_url.contains("errdefs.Source"))?;
    let source: Source = serde_json::from_slice(&source.value).ok()?;
    source.ranges.first().map(|range| range.start.line)
}

#[cfg(test)]
mod tests {
    use bollard_buildkit_proto::{
        google::protobuf::Any,
        moby::buildkit::v1::{StatusResponse, Vertex, VertexLog},
    };
    use tonic::Code;

    use super::*;

    fn dockerfile() -> Dockerfile {
        Dockerfile::parse("FROM scratch AS base\nRUN as x\nfrom base as Release\n  FROM --platform=a b\n")
            .unwrap()
    }

    fn failed(step: &str, error: &str, output: &str) -> Log {
        let mut log = Log::default();
        let vertex =
            Vertex { digest: "a".into(), name: step.into(), error: error.into(), ..Vertex::default() };
        let output = VertexLog { vertex: "a".into(), msg: output.into(), ..VertexLog::default() };
        log.take(&StatusResponse { vertexes: vec![vertex], logs: vec![output], ..StatusResponse::default() });
        log
    }

    #[test]
    fn names_the_stages_there_are() {
        let message = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: target stage web could not be found";
        let error = explain(&Status::unknown(message), &Log::default(), Some("web"), Some(&dockerfile()));
        assert_eq!(error.to_string(), "the Dockerfile has no stage `web`");
        assert_eq!(error.hint().unwrap(), "its stages are base, release");
    }

    #[test]
    fn names_the_path_that_is_missing() {
        let check = |message: &str, path: Option<&str>| assert_eq!(not_found(message), path, "{message}");
        check("failed to compute cache key: \"/none\" not found: not found", Some("none"));
        check("failed to calculate checksum of ref a::b: \"/a/b c\": not found", Some("a/b c"));
        check("lstat \"/x\": permission denied", None);
        check("executor failed running [/bin/sh -c make]: exit code: 2", None);
    }

    #[test]
    fn names_the_base_image() {
        let log = failed("[internal] load metadata for docker.io/library/nope:1", "not found", "");
        let message = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: docker.io/library/nope:1: not found";
        let error = explain(&Status::not_found(message), &log, None, Some(&dockerfile()));
        assert_eq!(
            error.to_string(),
            "cannot get base image `docker.io/library/nope:1`: docker.io/library/nope:1: not found"
        );
    }

    #[test]
    fn names_step_line_and_last_words() {
        let source =
            br#"{"info":{"filename":"Dockerfile"},"ranges":[{"start":{"line":7},"end":{"line":8}}]}"#;
        let any =
            Any { type_url: "github.com/moby/buildkit/errdefs.Source+json".into(), value: source.to_vec() };
        let details = rpc::Status { code: 2, message: String::new(), details: vec![any] };
        let status = Status::with_details(
            Code::Unknown,
            "failed to solve: executor failed running [/bin/sh -c make]: exit code: 2",
            details.encode_to_vec().into(),
        );
        let log = failed("[2/3] RUN make", "exit code: 2", "cc main.c\nno such file\n");
        let error = explain(&status, &log, None, Some(&dockerfile()));
        assert_eq!(
            error.to_string(),
            "step `[2/3] RUN make` (line 7 of the Dockerfile) failed: \
             executor failed running [/bin/sh -c make]: exit code: 2\n  cc main.c\n  no such file"
        );
    }
}
