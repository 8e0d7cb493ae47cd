use super::*;

/// Checks what is seen of `dockerfile` with these arguments: `paths`, separated by spaces, and names of arguments.
fn check(dockerfile: &str, target: &str, args: &[(&str, &str)], paths: &str, names: &str) {
    let args = args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let platforms = ["linux/amd64", "linux/arm64"].map(|platform| platform.parse().unwrap());
    let inputs = Inputs {
        target: Some(target).filter(|target| !target.is_empty()),
        args: &args,
        platforms: &platforms,
    };
    let reach = Dockerfile::parse(dockerfile).unwrap().reach(inputs).unwrap();
    let shown = |set: Option<BTreeSet<String>>| {
        set.map_or("everything".to_owned(), |set| set.into_iter().collect::<Vec<_>>().join(" "))
    };
    assert_eq!((shown(reach.paths).as_str(), shown(reach.args).as_str()), (paths, names), "{dockerfile}");
}

#[test]
fn sees_what_is_copied() {
    let one = |instructions: &str, paths: &str| {
        check(&format!("FROM scratch\n{instructions}\n"), "", &[], paths, "");
    };
    one("", "");
    one("COPY a b/ /x/", "a b");
    one("COPY . /x", "everything");
    one("COPY a/.. /x", "everything");
    one("COPY /a/./b ../c /x/", "a/b c");
    one("COPY *.rs src/**/x /x/", "*.rs src/**/x");
    one("COPY [\"a b\", \"/x\"]", "a b");
    one("ADD a.tar https://example.com/x /x/", "a.tar");
    one("COPY <<EOF /x\nhello\nEOF", "");
    one("COPY --parents a/./b /x/", "a/b");
    one("RUN --mount=target=/x make", "everything");
    one(
        "RUN --mount=type=bind,source=go.mod,target=/go.mod --mount=src=go.sum,dst=/go.sum make",
        "go.mod go.sum",
    );
    one(
        "RUN --mount=type=cache,target=/x --mount=type=tmpfs,target=/y --mount=type=secret,id=z --mount=type=ssh make",
        "",
    );
    one("RUN --mount=from=alpine,target=/x make", "");
    one("ONBUILD COPY a /x", "");
}

#[test]
fn sees_the_stages_that_are_needed() {
    let stages = "FROM alpine AS one\nARG ONE\nCOPY one /\nFROM scratch AS two\nARG TWO\nCOPY two /\n\
                  FROM one AS three\nCOPY --from=two /two /\nFROM scratch\nRUN --mount=from=ONE,target=/x make\nCOPY four /\n";
    check(stages, "one", &[], "one", "ONE");
    check(stages, "TWO", &[], "two", "TWO");
    check(stages, "three", &[], "one two", "ONE TWO");
    check(stages, "", &[], "four one", "ONE");
    let numbered = "FROM scratch\nCOPY a /\nFROM scratch\nCOPY --from=0 /a /\n";
    check(numbered, "", &[], "a", "");
    check("FROM scratch AS a\nONBUILD COPY b /\nFROM a\nCOPY c /\n", "", &[], "b c", "");
    check("FROM node:onbuild\nCOPY a /\n", "", &[], "everything", "everything");
}

#[test]
fn follows_variables() {
    let choice = "ARG BASE=small\nFROM scratch AS small\nCOPY small /\nFROM scratch AS large\nCOPY large /\nFROM $BASE\n";
    check(choice, "", &[], "small", "BASE");
    check(choice, "", &[("BASE", "large")], "large", "BASE");
    let service = "ARG SERVICE=none\nFROM scratch\nARG SERVICE\nENV DIR=services/$SERVICE\nCOPY $DIR/app /\n";
    check(service, "", &[("SERVICE", "web")], "services/web/app", "SERVICE");
    check(
        "FROM scratch\nARG TARGETARCH\nCOPY bin/$TARGETARCH /\n",
        "",
        &[],
        "bin/amd64 bin/arm64",
        "TARGETARCH",
    );
    check("FROM scratch\nARG A=x\nFROM scratch\nARG B=${A:-y}\nCOPY $B /\n", "", &[], "y", "B");
    check("FROM scratch\nARG A=x B=$A\nCOPY $B$NONE /\n", "", &[], "x", "A B");
    // Only the builder knows what a base image sets, and what it runs on.
    check("FROM alpine\nCOPY $DIR /\n", "", &[], "everything", "");
    check("FROM alpine\nARG DIR=a\nCOPY $DIR /\n", "", &[], "a", "DIR");
    check("FROM alpine\nARG DIR=$HOME\nCOPY $DIR /\n", "", &[], "everything", "DIR");
    check("FROM base-$BUILDARCH\nCOPY a /\n", "", &[], "everything", "everything");
    check("FROM alpine\nARG S=a\nRUN --mount=source=$S,target=/x make\n", "", &[], "a", "S");
}

#[test]
fn says_what_is_missing() {
    let check = |dockerfile: &str, target: Option<&str>, message: &str, hint: Option<&str>| {
        let inputs = Inputs { target, args: &BTreeMap::new(), platforms: &[Platform::linux_amd64()] };
        let error = Dockerfile::parse(dockerfile).unwrap().reach(inputs).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.hint().as_deref()), (message, hint));
    };
    let stages = "FROM scratch AS build\nFROM scratch AS release\n";
    check(
        stages,
        Some("relase"),
        "line 1, column 1: there is no stage `relase`",
        Some("did you mean `release`?"),
    );
    check(stages, Some("x"), "line 1, column 1: there is no stage `x`", None);
    let text = "FROM scratch\nCOPY --from=7 /a /\n";
    check(text, None, "line 2, column 1: there is no stage `7`", None);
    let text = "FROM scratch AS a\nCOPY --from=a /a /\n";
    check(text, None, "line 2, column 1: stage `a` has to come before what copies from it", None);
    check(
        "FROM $NONE\n",
        None,
        "line 1, column 1: FROM names no image once its variables have their values",
        None,
    );
    check("FROM scratch\nCOPY ${A?is-needed} /\n", None, "line 2, column 1: variable `A` is-needed", None);
}

#[test]
fn a_thousand_stages_are_no_trouble() {
    let stages: Vec<_> = (1..20_000).map(|index| format!("FROM s{} AS s{index}\n", index - 1)).collect();
    check(&format!("FROM scratch AS s0\nCOPY a /\n{}", stages.concat()), "", &[], "a", "");
}
