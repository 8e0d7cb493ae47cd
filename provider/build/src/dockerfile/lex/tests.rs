use super::*;

fn variables(name: &str) -> Variable {
    match name {
        "A" => Variable::Set("a".into()),
        "SPACES" => Variable::Set("one  two".into()),
        "EMPTY" => Variable::Set(String::new()),
        "FILE" => Variable::Set("lib/app.tar.gz".into()),
        "BASE" => Variable::Unknown,
        _ => Variable::Unset,
    }
}

#[test]
fn expands_words() {
    let check = |text: &str, expected: &str| {
        assert_eq!(Lex::new('\\', &variables).word(text).as_deref(), Ok(expected), "{text}");
    };
    check("plain", "plain");
    check("$A-${A}-$NONE.", "a-a-.");
    check(r"\$A \\ \x", r"$A \ x");
    check(r#"'$A' "$A" "\$A\"\x""#, r#"$A a $A"\x"#);
    check("${A:-b} ${NONE:-b} ${EMPTY:-b} ${EMPTY-b} ${NONE-${A}}", "a b b  a");
    check("${A:+b} ${NONE:+b} ${EMPTY:+b} ${EMPTY+b}", "b   b");
    check("${A?} ${A:?message}", "a a");
    check("${FILE#*/} ${FILE##*.} ${FILE%.*} ${FILE%%.*}", "app.tar.gz gz lib/app.tar lib/app");
    check(
        "${FILE/app/web} ${FILE//a/o} ${FILE/x/y} ${NONE/*/y}",
        "lib/web.tar.gz lib/opp.tor.gz lib/app.tar.gz y",
    );
    check("$", "$");
    check("$1x $@", "x ");
    check("a\\", "a");
}

#[test]
fn refuses() {
    let check = |text: &str, expected: &str| {
        assert_eq!(Lex::new('\\', &variables).word(text).unwrap_err().to_string(), expected, "{text}");
    };
    check("'a", "`'` is missing");
    check("\"a", "`\"` is missing");
    check("${A", "`}` is missing");
    check("${", "`}` is missing");
    check("${}", "`${` is not followed by a name");
    check("${A:0:1}", "`:0` in `${…}` is not known");
    check("${NONE?}", "variable `NONE` is not allowed to be unset");
    check("${EMPTY:?is needed}", "variable `EMPTY` is needed");
    check("$BASE", "the value of `BASE` is not known here");
}

#[test]
fn values_do_not_grow_without_end() {
    let long = |_: &str| Variable::Set("x".repeat(LONGEST));
    for text in ["$A$A", "\"$A$A$A\""] {
        assert_eq!(Lex::new('\\', &long).word(&text.repeat(1000)), Err(ExpansionError::TooLong), "{text}");
    }
}

#[test]
fn cuts_words() {
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(Lex::new('\\', &variables).words(text).unwrap(), expected, "{text}");
    };
    check("a  'b c' d\\ e", &["a", "b c", "d e"]);
    check("x$SPACES", &["xone", "two"]);
    check("", &[]);
}

#[test]
fn keeps_what_here_documents_need() {
    let words = |text: &str| Lex::of_heredocs(true, true).words(text).unwrap();
    assert_eq!(
        words(r#"RUN <<"EOF" cat <<- X > $Y ${Z:-z}"#),
        ["RUN", "<<\"EOF\"", "cat", "<<-", "X", ">", "$Y", "${Z:-z}"]
    );
    assert_eq!(words(r"<< EOF \<"), ["<< EOF", r"\<"]);
}
