//! The report as JSON.

use std::time::Instant;

use aws_smithy_types::date_time::{DateTime, Format};
use serde_json::{Value, json};

use super::Report;
use crate::{exit::Exit, failure::Failure, rollout::Moment, talk};

/// The form of the document. It grows by keys; when one changes or goes, this number does.
const VERSION: u64 = 1;

impl Report {
    /// All that is known, with how it ended.
    pub(super) fn json(&self, result: &Result<Exit, Failure>) -> Value {
        let error = result.as_ref().err().map(|failure| {
            let chain = failure.chain();
            json!({"message": chain[0], "causes": chain[1..], "hint": failure.hint()})
        });
        let exit = result.as_ref().map_or_else(Failure::exit, |exit| *exit);
        let moment = |Moment { at, text }: &Moment| json!({"seconds": self.seconds(*at), "text": text});
        let started = DateTime::from_secs(DateTime::from(self.started).secs());
        json!({
            "version": VERSION,
            "verb": self.verb,
            "release": self.release,
            "namespace": self.namespace,
            "cluster": self.cluster,
            "chart": self.chart,
            "revision": self.revision,
            "outcome": self.outcome_word(),
            "exitCode": exit as u8,
            "error": error,
            "started": started.fmt(Format::DateTime).unwrap_or_default(),
            "seconds": self.seconds(Instant::now()),
            "images": self.images,
            "warnings": talk::warnings(),
            "timeline": self.followed.timeline.iter().map(moment).collect::<Value>(),
            "obstacles": self.followed.obstacles.json(),
        })
    }

    /// Since the beginning, in tenths.
    fn seconds(&self, at: Instant) -> f64 {
        (at.duration_since(self.begun).as_secs_f64() * 10.0).round() / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ci::CiChoice,
        cli::{Output, ReportArguments},
        helm::outcome::Outcome,
        images::uses,
        run_folder::RunFolderError,
    };

    fn report() -> Report {
        let arguments = ReportArguments { report: None, output: Output::Text, ci: CiChoice::None };
        let mut report = Report::begin("up", arguments).unwrap();
        report.is_about("web", "shop", "arn:c".to_owned());
        let pod = |image: &str| {
            let text =
                format!("kind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{image: {image}}}]}}\n");
            uses::objects(&text, &[]).unwrap()
        };
        report.compare(&pod("x:1"), &pod("x:2"));
        report.remember("helm upgrade begins".to_owned());
        report
    }

    #[test]
    fn tells_how_it_ended_and_what_changed() {
        let mut report = report();
        report.revision = Some(3);
        report.outcome = Some(Outcome::Failed { revision: 3, description: "context canceled".to_owned() });
        let failure = RunFolderError::NotPrivate("/x".into()).into();
        let told = report.json(&Err(failure));
        let expected = json!([{"place": "Pod/p spec.containers[0].image", "before": "x:1", "after": "x:2"}]);
        assert_eq!(told["images"], expected);
        assert_eq!(
            (&told["outcome"], &told["revision"], &told["exitCode"]),
            (&json!("failed"), &json!(3), &json!(1))
        );
        assert_eq!(told["error"]["message"], "`/x` is not a private folder of this user");
        assert_eq!(told["timeline"][0]["text"], "helm upgrade begins");
        assert!(told["started"].as_str().unwrap().ends_with('Z'), "{told}");
        let told = report.json(&Ok(Exit::Done));
        assert_eq!((&told["error"], &told["exitCode"]), (&Value::Null, &json!(0)));
    }

    #[test]
    fn says_so_where_nothing_was_begun() {
        let told = report().json(&Ok(Exit::Done));
        assert_eq!((&told["outcome"], &told["revision"]), (&json!("not-started"), &Value::Null));
    }
}
