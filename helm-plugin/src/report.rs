//! What a change of a release came to, for those who do not look on: a file for programs, and what the pipeline shows
//! and hands on.
//!
//! It is told however the change ends, also before Helm was asked for anything. Nothing here decides how that is.

mod document;
mod summary;

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Instant, SystemTime},
};

use crate::{
    changes::{self, ImageChange},
    ci::Ci,
    cli::{Output, ReportArguments},
    exit::Exit,
    failure::{Explain, Failure},
    helm::outcome::Outcome,
    images::uses::Rendered,
    plan::ChartIdentity,
    rollout::{Followed, Moment, Obstacles},
    talk::{self, say, warn},
};

/// GitHub shows no more of a step.
const ANNOTATIONS: usize = 10;

/// The report has nowhere to go.
#[derive(Debug, thiserror::Error)]
#[error("the report cannot be written to `{}`", path.display())]
pub(crate) struct ReportError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Explain for ReportError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// What is known of a change.
#[derive(Debug)]
pub(crate) struct Report {
    verb: &'static str,
    file: Option<PathBuf>,
    output: Output,
    ci: Ci,
    started: SystemTime,
    begun: Instant,
    release: Option<String>,
    namespace: Option<String>,
    /// By ARN where that is known.
    cluster: Option<String>,
    /// The chart; a rollback has none.
    pub(crate) chart: Option<ChartIdentity>,
    /// The revision that the change makes.
    pub(crate) revision: Option<u64>,
    /// What became of the release, once Helm was asked to change it.
    pub(crate) outcome: Option<Outcome>,
    images: Vec<ImageChange>,
    followed: Followed,
}

impl Report {
    /// Begins. A file that cannot be written is an error now, and not after the change.
    pub(crate) fn begin(verb: &'static str, arguments: ReportArguments) -> Result<Self, ReportError> {
        if let Some(path) = &arguments.report {
            let found = fs::metadata(folder(path)).map(|found| found.is_dir() && !path.is_dir());
            let wrong = match found {
                Ok(true) => None,
                Ok(false) => Some(io::ErrorKind::NotADirectory.into()),
                Err(error) => Some(error),
            };
            wrong.map_or(Ok(()), |source| Err(ReportError { path: path.clone(), source }))?;
        }
        Ok(Self {
            verb,
            file: arguments.report,
            output: arguments.output,
            ci: arguments.ci.resolve(),
            started: SystemTime::now(),
            begun: Instant::now(),
            release: None,
            namespace: None,
            cluster: None,
            chart: None,
            revision: None,
            outcome: None,
            images: Vec::new(),
            followed: Followed::default(),
        })
    }

    /// Which release it is about, and where that is.
    pub(crate) fn is_about(&mut self, release: &str, namespace: &str, cluster: String) {
        self.release = Some(release.to_owned());
        self.namespace = Some(namespace.to_owned());
        self.cluster = Some(cluster);
    }

    /// Whether anybody reads it, so that it is worth looking for what only it has.
    pub(crate) fn is_wanted(&self) -> bool {
        self.file.is_some() || self.ci != Ci::None || self.is_answer()
    }

    /// Whether it is what stdout is for.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self.output, Output::Json)
    }

    /// Whose words are used.
    pub(crate) fn ci(&self) -> Ci {
        self.ci
    }

    /// Who reads the log, whether or not we use their words.
    pub(crate) fn reader(&self) -> Ci {
        if self.ci == Ci::None { Ci::of_environment() } else { self.ci }
    }

    /// The images of the revision that is there, and of the next one.
    pub(crate) fn compare(&mut self, before: &[Rendered], after: &[Rendered]) {
        self.images = changes::images_beside(before, after);
    }

    /// What stood in the way.
    pub(crate) fn obstacles(&self) -> &Obstacles {
        &self.followed.obstacles
    }

    /// A step of the course.
    pub(crate) fn remember(&mut self, text: String) {
        self.followed.timeline.push(Moment { at: Instant::now(), text });
    }

    /// What was seen while Helm waited.
    pub(crate) fn follow(&mut self, followed: Followed) {
        self.followed.timeline.extend(followed.timeline);
        self.followed.obstacles = followed.obstacles;
    }

    /// Tells all of it to everybody who wants to know. That it cannot be told changes nothing any more.
    pub(crate) fn tell(&self, result: &Result<Exit, Failure>) {
        if let Err(failure) = result {
            let chain = failure.chain();
            let text = [&chain[1..], failure.hint().as_slice()].concat().join("\n");
            let text = if text.is_empty() { &chain[0] } else { &text };
            self.ci.annotation("error", &chain[0], text).iter().for_each(|line| say(line));
        }
        for warning in talk::warnings().iter().take(ANNOTATIONS - 1) {
            self.ci.annotation("warning", self.verb, warning).iter().for_each(|line| say(line));
        }
        let told = self.ci.summarize(&self.summary(result)).and_then(|()| self.ci.give(&self.outputs()));
        if let Err(error) = told {
            warn(&format!("the pipeline cannot be told what became of the release: {error}"));
        }
        let text = format!("{:#}\n", self.json(result));
        if self.is_answer() {
            // Whoever asked for it and is gone does not want it any more.
            let _ = io::stdout().write_all(text.as_bytes());
        }
        if let Some(path) = &self.file
            && let Err(error) = write(path, &text)
        {
            warn(&format!("the report cannot be written to `{}`: {error}", path.display()));
        }
    }

    fn outputs(&self) -> Vec<(&'static str, String)> {
        let digests: Vec<&String> = self.images.iter().filter_map(|image| image.after.as_ref()).collect();
        let mut outputs = vec![("outcome", self.outcome_word().to_owned())];
        outputs.extend(self.revision.map(|revision| ("revision", revision.to_string())));
        outputs.push(("images", serde_json::json!(digests).to_string()));
        outputs
    }

    fn outcome_word(&self) -> &'static str {
        self.outcome.as_ref().map_or("not-started", Outcome::word)
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// At once or not at all.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder(path))?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
