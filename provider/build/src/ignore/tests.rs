use super::{Rules, glob::clean, lines};

#[test]
fn judges_paths() {
    let check = |patterns: &[&str], path: &str, expected: bool| {
        let rules = Rules::new(patterns).unwrap();
        assert_eq!(rules.ignores(path), expected, "{patterns:?} {path}");
    };
    check(&["*.o"], "a.o", true);
    check(&["*.o"], "src/a.o", false);
    check(&["**/*.o"], "src/a.o", true);
    check(&["node_modules"], "node_modules/x/y", true);
    check(&["node_modules"], "web/node_modules", false);
    check(&["**/node_modules"], "web/node_modules/x", true);
    check(&["*", "!src"], "src/main.rs", false);
    check(&["*", "!src", "src/target"], "src/target/x", true);
    check(&["*", "!src/**/*.rs"], "src/a/b.rs", false);
    check(&["*", "!src/**/*.rs"], "src/a/b.c", true);
    check(&["!a", "a"], "a", true);
    check(&["a/b", "!a"], "a/b", true); // a quirk of the walk: `!a` counted for nothing when `a` was judged
    check(&["a", "!a/b"], "a/b/c", false);
    check(&["docs/*.md", "!docs/README.md"], "docs/README.md", false);
    check(&["temp?"], "temp1", true);
    check(&["temp?"], "temp/", false);
    check(&["[a-c].txt"], "b.txt", true);
    check(&["[!a].txt"], "b.txt", false); // `!` does not negate a class, `^` does
    check(&["[^a].txt"], "b.txt", true);
    check(&["a|b*"], "bcd", true); // `|` is not escaped
    check(&["x{y*"], "x{yz", true);
    check(&["a{2}*"], "aab", true);
    check(&["[[]*"], "[x", true);
    check(&["[&&a]*"], "&x", true);
    check(&["[[:digit:]]*"], "7x", true);
    check(&[r"\**"], "*x", true);
    check(&[r"\**"], "xx", false);
    check(&[r"a\b*"], "a-x", true); // a word's end, and no `b`
    check(&[r"a\b*"], "abx", false);
    check(&[r"y*\"], "yz$", true); // moby takes it as an escaped `$`, as it stops at the `y`
    check(&["größe/*"], "größe/x", true);
    check(&["**"], "any/thing", true);
    check(&[""], "x", false);
    check(&[], "x", false);
}

#[test]
fn refuses_malformed_patterns() {
    for pattern in ["!", "[", "a[", "[]a]", "[a-]", "[b-a]", "a\\", "!["] {
        let message = format!("pattern `{pattern}` is malformed");
        assert_eq!(Rules::new([pattern]).unwrap_err().to_string(), message);
    }
}

#[test]
fn reads_ignore_files() {
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(lines(text).map(|(_, pattern)| pattern).collect::<Vec<_>>(), expected, "{text:?}");
    };
    check("\u{feff}a\n# c\n #b\n\n  c  \r\n", &["a", "#b", "c"]);
    check("/a\n./b/\n../c\nd/../e\n/\n", &["a", "b", "../c", "e", "/"]);
    check("! /a\n!  b/ \n!\n", &["!a", "!b", "!"]);
}

#[test]
fn cleans_paths() {
    for (path, expected) in [
        ("", "."),
        ("/", "/"),
        ("a//b/./c/..", "a/b"),
        ("../../a", "../../a"),
        ("/../a", "/a"),
        ("a/../..", ".."),
    ] {
        assert_eq!(clean(path), expected, "{path}");
    }
}

#[test]
fn knows_which_folders_to_enter() {
    let check = |pattern: &str, folder: &str, expected: bool| {
        let rules = Rules::new(["*", pattern]).unwrap();
        assert_eq!(rules.may_bring_back_below(folder), expected, "{pattern} {folder}");
    };
    check("!src/main.rs", "src", true);
    check("!src/main.rs", "docs", false);
    check("!src/main.rs", "src/main", false);
    check("!**/main.rs", "docs", true);
    check("!s*/main.rs", "src", true);
    check("!s*/main.rs", "docs", false);
    check("!src/*/a", "src/x", true);
    check("src/main.rs", "src", false);
}

#[test]
fn names_the_line_that_ignores() {
    let rules = Rules::parse("# all\n\n*.log\ndocs\n!docs/keep\ndocs/keep/not\n").unwrap();
    for (path, line) in [
        ("a.log", Some(3)),
        ("docs/x/y", Some(4)),
        ("docs/keep", None),
        ("docs/keep/x", None),
        ("docs/keep/not", Some(6)),
        ("a", None),
    ] {
        assert_eq!(rules.line_against(path), line, "{path}");
    }
}
