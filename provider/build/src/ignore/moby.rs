//! The test tables of moby/patternmatcher, read from its published Go module when the test runs.

use std::{fs, process::Command};

use super::{
    Rules,
    glob::{Kind, clean, translate},
};

/// A value of a Go composite literal.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    Word(String),
    List(Vec<Value>),
}

use Value::{List, Text, Word};

#[test]
#[ignore = "needs Go: it fetches the module moby/patternmatcher"]
fn passes_the_tables_of_moby() {
    let source = test_source();
    let mut rows = 0;
    for table in
        tables(&source, "[]matchesTestCase{").iter().chain(&tables(&source, "[]multiPatternTestCase{"))
    {
        for row in table {
            rows += 1;
            check_match(row);
        }
    }
    assert!(rows > 70, "{rows} rows");
}

fn check_match(row: &[Value]) {
    let patterns = match &row[0] {
        Text(pattern) => vec![pattern.clone()],
        list => texts(list),
    };
    let [_, Text(path), Word(expected)] = row else { panic!("{row:?}") };
    let rules = Rules::new(&patterns).unwrap();
    assert_eq!(rules.ignores(path).to_string(), *expected, "{patterns:?} {path}");
}

#[test]
#[ignore = "needs Go: it fetches the module moby/patternmatcher"]
fn passes_the_tables_that_moby_took_from_go() {
    let tables = tables(&test_source(), "[]matchTest{");
    assert!(tables[0].len() > 50);
    for row in &tables[0] {
        let [Text(pattern), Text(path), Word(expected), Word(error)] = &row[..] else { panic!("{row:?}") };
        match Rules::new([pattern]) {
            Ok(rules) => assert_eq!(
                (rules.ignores(path).to_string(), "nil"),
                (expected.clone(), error.as_str()),
                "{row:?}"
            ),
            Err(_) => assert_eq!(error, "filepath.ErrBadPattern", "{row:?}"),
        }
    }
}

#[test]
#[ignore = "needs Go: it fetches the module moby/patternmatcher"]
fn translates_patterns_as_moby_does() {
    let tables = tables(&test_source(), "[]compileTestCase{");
    assert!(tables[0].len() > 15);
    for row in &tables[0] {
        let [Text(pattern), Word(kind), Text(expression), _] = &row[..] else { panic!("{row:?}") };
        let (translated, regex) = translate(&clean(pattern));
        let expected = match kind.as_str() {
            "exactMatch" => Kind::Exact,
            "prefixMatch" => Kind::Prefix,
            "suffixMatch" => Kind::Suffix,
            "regexpMatch" => Kind::Regex,
            other => panic!("{other}"),
        };
        assert_eq!(translated, expected, "{pattern}");
        if expected == Kind::Regex {
            assert_eq!(regex, *expression, "{pattern}");
        }
    }
}

fn test_source() -> String {
    let module = "github.com/moby/patternmatcher@v0.6.1";
    let folder = tempfile::tempdir().unwrap();
    let output =
        Command::new("go").args(["mod", "download", "-json", module]).current_dir(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect(&said);
    let source = format!("{}/patternmatcher_test.go", answer["Dir"].as_str().unwrap());
    fs::read_to_string(source).unwrap()
}

fn texts(value: &Value) -> Vec<String> {
    let List(items) = value else { panic!("{value:?}") };
    let text = |item: &Value| match item {
        Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    items.iter().map(text).collect()
}

/// The rows of every literal that begins with `start`.
fn tables(source: &str, start: &str) -> Vec<Vec<Vec<Value>>> {
    let row = |value| match value {
        List(row) => row,
        other => panic!("{other:?}"),
    };
    let table = |(at, _): (usize, _)| {
        let mut rest = source[at + start.len() - 1..].chars().peekable();
        let List(rows) = value(&mut rest) else { panic!("no list at {at}") };
        rows.into_iter().map(row).collect()
    };
    source.match_indices(start).map(table).collect()
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn value(chars: &mut Chars<'_>) -> Value {
    skip_space(chars);
    match chars.next().unwrap() {
        '"' => Text(quoted(chars)),
        '`' => Text(chars.by_ref().take_while(|c| *c != '`').collect()),
        '{' => List(items(chars)),
        first => {
            let mut word = String::from(first);
            while let Some(c) = chars.next_if(|c| !matches!(c, ',' | '}' | '{')) {
                word.push(c);
            }
            if chars.next_if_eq(&'{').is_some() { List(items(chars)) } else { Word(word.trim().to_owned()) }
        }
    }
}

fn items(chars: &mut Chars<'_>) -> Vec<Value> {
    let mut items = Vec::new();
    loop {
        skip_space(chars);
        if chars.next_if_eq(&'}').is_some() {
            return items;
        }
        items.push(value(chars));
        skip_space(chars);
        chars.next_if_eq(&',');
    }
}

fn quoted(chars: &mut Chars<'_>) -> String {
    let mut text = String::new();
    loop {
        match chars.next().unwrap() {
            '"' => return text,
            '\\' => text.push(chars.next().unwrap()),
            c => text.push(c),
        }
    }
}

fn skip_space(chars: &mut Chars<'_>) {
    while let Some(c) = chars.next_if(|c| c.is_whitespace() || *c == '/') {
        if c == '/' {
            chars.by_ref().take_while(|c| *c != '\n').for_each(drop);
        }
    }
}
