use image_build::ignore::Rules;
use serde::Serialize;

use super::{Chance, answers};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Question {
    rules: String,
    paths: Vec<String>,
}

const PIECES: [&str; 34] = [
    "a", "b", "ab", "a.b", "*", "*", "**", "**/", "/**", "/", "/", "?", "!", "\n", "\n", "\n!", "\n#", " ",
    "\t", "[", "]", "[a-b]", "[^a]", "[!a]", "\\", "\\*", ".", "..", "./", "../", "|", "{", "$", "ä",
];
const NAMES: [&str; 14] = ["a", "b", "ab", "a.b", "*", "ä", "c", "!a", "#", "a b", "[", "\\", "{", "a|b"];

fn question(chance: &mut Chance) -> Question {
    let rules = chance.text(&PIECES, 12);
    let path = |chance: &mut Chance| {
        let names: Vec<&str> = (0..=chance.below(4)).map(|_| chance.pick(&NAMES)).collect();
        names.join("/")
    };
    Question { rules, paths: (0..8).map(|_| path(chance)).collect() }
}

#[test]
#[ignore = "needs Go: it compiles moby/patternmatcher"]
fn k_ignores_what_patternmatcher_ignores() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let questions: Vec<Question> = (0..20_000).map(|_| question(&mut chance)).collect();
    let theirs: Vec<Option<Vec<bool>>> = answers("ignore", &questions);
    let ours = questions.iter().map(|question| {
        let rules = Rules::parse(&question.rules).ok()?;
        Some(question.paths.iter().map(|path| rules.ignores(path)).collect::<Vec<_>>())
    });
    let differences: Vec<String> = (questions.iter().zip(ours).zip(&theirs))
        .filter(|((_, ours), theirs)| ours != *theirs)
        .map(|((question, ours), theirs)| format!("{question:?}\n  ours {ours:?}, theirs {theirs:?}"))
        .collect();
    assert!(
        differences.is_empty(),
        "{}:\n{}",
        differences.len(),
        differences[..differences.len().min(10)].join("\n")
    );
    let understood = theirs.iter().flatten().count();
    let ignored = theirs.iter().flatten().flatten().filter(|ignored| **ignored).count();
    assert!(
        understood > 10_000 && ignored > 10_000,
        "{understood} files understood, {ignored} paths ignored"
    );
}
