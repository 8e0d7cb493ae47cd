//! What BuildKit tells while it builds, as lines for people, and what of it explains a failure.

use std::collections::{HashMap, VecDeque};

use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, Vertex};

/// How many lines of a step are kept.
const KEPT: usize = 20;
/// How much of a line is kept, in bytes.
const LINE: usize = 1024;

/// The steps so far.
#[derive(Default)]
pub(super) struct Log {
    steps: HashMap<String, Step>,
}

/// One step of a build.
#[derive(Default)]
pub(super) struct Step {
    /// As BuildKit names it: `[2/3] RUN make`.
    pub(super) name: String,
    /// Its last lines of output.
    pub(super) tail: VecDeque<String>,
    /// Why it failed.
    pub(super) error: Option<String>,
    unfinished: Vec<u8>,
    announced: bool,
    cached: bool,
}

impl Log {
    /// Takes what is new, and gives lines to show.
    pub(super) fn take(&mut self, update: &StatusResponse) -> Vec<String> {
        let mut lines = Vec::new();
        for vertex in &update.vertexes {
            lines.extend(self.step(&vertex.digest).progress(vertex));
        }
        for log in &update.logs {
            lines.extend(self.step(&log.vertex).output(&log.msg));
        }
        lines
    }

    /// The step that failed of its own, not because another did or was called off for it.
    pub(super) fn failed(&self) -> Option<&Step> {
        let is_cause =
            |step: &&Step| step.error.as_ref().is_some_and(|error| !error.contains("context canceled"));
        let failed: Vec<&Step> = self.steps.values().filter(is_cause).collect();
        let has_output = |step: &&&Step| !step.tail.is_empty();
        failed.iter().find(has_output).or(failed.first()).copied()
    }

    /// All steps, as BuildKit names them.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.values().map(|step| step.name.as_str())
    }

    fn step(&mut self, digest: &str) -> &mut Step {
        self.steps.entry(digest.to_owned()).or_default()
    }
}

impl Step {
    fn progress(&mut self, vertex: &Vertex) -> Option<String> {
        self.name.clone_from(&vertex.name);
        if !vertex.error.is_empty() {
            self.error = Some(vertex.error.clone());
        }
        if vertex.cached && !self.cached {
            self.cached = true;
            self.announced = true;
            return Some(format!("{} (cached)", self.name));
        }
        if vertex.started.is_some() && !self.announced {
            self.announced = true;
            return Some(self.name.clone());
        }
        None
    }

    /// Output comes in pieces that need not end with a line.
    fn output(&mut self, piece: &[u8]) -> Vec<String> {
        self.unfinished.extend_from_slice(piece);
        let Some(end) = self.unfinished.iter().rposition(|byte| *byte == b'\n') else {
            self.unfinished.truncate(LINE);
            return Vec::new();
        };
        let rest = self.unfinished.split_off(end + 1);
        let whole = std::mem::replace(&mut self.unfinished, rest);
        let lines: Vec<String> = String::from_utf8_lossy(&whole).lines().map(shown).collect();
        self.tail.extend(lines.iter().cloned());
        self.tail.drain(..self.tail.len().saturating_sub(KEPT));
        let number = self.name.split_inclusive(']').next().unwrap_or_default();
        lines.iter().map(|line| format!("{number} {line}")).collect()
    }

    /// The last lines of output, an unfinished one too.
    pub(super) fn last_lines(&self) -> Vec<String> {
        let unfinished = String::from_utf8_lossy(&self.unfinished);
        let unfinished = Some(shown(&unfinished)).filter(|line| !line.is_empty());
        self.tail.iter().cloned().chain(unfinished).collect()
    }
}

/// A line without what would move the cursor of a terminal; of a line that was overwritten, the last text.
fn shown(line: &str) -> String {
    let last = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
    let mut text: String = last.chars().filter(|c| !c.is_control() || *c == '\t').collect();
    let end = (0..=LINE.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use bollard_buildkit_proto::{google::protobuf::Timestamp, moby::buildkit::v1::VertexLog};

    use super::*;

    fn vertex(digest: &str, name: &str, change: impl FnOnce(&mut Vertex)) -> StatusResponse {
        let mut vertex = Vertex { digest: digest.into(), name: name.into(), ..Vertex::default() };
        change(&mut vertex);
        StatusResponse { vertexes: vec![vertex], ..StatusResponse::default() }
    }

    fn output(digest: &str, text: &str) -> StatusResponse {
        let log = VertexLog { vertex: digest.into(), msg: text.into(), ..VertexLog::default() };
        StatusResponse { logs: vec![log], ..StatusResponse::default() }
    }

    #[test]
    fn shows_steps_and_their_output() {
        let mut log = Log::default();
        let started = |vertex: &mut Vertex| vertex.started = Some(Timestamp::default());
        let mut check = |update: StatusResponse, expected: &[&str]| assert_eq!(log.take(&update), expected);
        check(vertex("a", "[2/3] RUN make", |_| {}), &[]);
        check(vertex("a", "[2/3] RUN make", started), &["[2/3] RUN make"]);
        check(vertex("a", "[2/3] RUN make", started), &[]);
        check(vertex("b", "[1/3] FROM x", |vertex| vertex.cached = true), &["[1/3] FROM x (cached)"]);
        check(output("a", "one\ntw"), &["[2/3] one"]);
        check(
            output("a", "o\r\n 10%\r100%\n\u{1b}[31mred\u{1b}[0m\n"),
            &["[2/3] two", "[2/3] 100%", "[2/3] [31mred[0m"],
        );
    }

    #[test]
    fn keeps_the_last_lines_of_the_step_that_failed() {
        let mut log = Log::default();
        let text: String =
            (0..50).flat_map(|line| ["line ".to_owned(), line.to_string(), "\n".to_owned()]).collect();
        log.take(&output("a", &text));
        log.take(&output("a", &"x".repeat(5000)));
        log.take(&vertex("b", "[1/2] RUN sleep", |vertex| vertex.error = "context canceled".into()));
        log.take(&vertex("a", "[2/2] RUN make", |vertex| vertex.error = "exit code: 2".into()));
        let step = log.failed().unwrap();
        assert_eq!((step.name.as_str(), step.error.as_deref()), ("[2/2] RUN make", Some("exit code: 2")));
        let lines = step.last_lines();
        assert_eq!((lines.len(), lines[0].as_str(), lines[20].len()), (KEPT + 1, "line 30", LINE));
    }
}
