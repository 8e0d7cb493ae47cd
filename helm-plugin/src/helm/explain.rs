//! What Helm's error text means, where its cause lies outside of Helm.

use crate::text;

/// A cause that we can say more about than Helm does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The cluster does not know the identity: HTTP 401.
    Unauthorized,
    /// The identity may not do something in the cluster: HTTP 403.
    Forbidden,
    /// The API server cannot be reached.
    Unreachable,
    /// A kind of the chart is not known in the cluster.
    NoKind,
    /// Another operation holds the release.
    Pending,
    /// Nothing that we know more about.
    Other,
}

/// Reads Helm's error text. The order matters: an unauthorized answer is wrapped in "cluster unreachable".
pub(crate) fn trouble(stderr: &str) -> Trouble {
    const SIGNS: [(&str, Trouble); 11] = [
        ("the server has asked for the client to provide credentials", Trouble::Unauthorized),
        ("Unauthorized", Trouble::Unauthorized),
        ("is forbidden: User", Trouble::Forbidden),
        ("another operation (install/upgrade/rollback) is in progress", Trouble::Pending),
        ("ensure CRDs are installed first", Trouble::NoKind),
        ("ubernetes cluster unreachable", Trouble::Unreachable),
        ("connection refused", Trouble::Unreachable),
        ("no such host", Trouble::Unreachable),
        ("i/o timeout", Trouble::Unreachable),
        ("TLS handshake timeout", Trouble::Unreachable),
        ("certificate signed by unknown authority", Trouble::Unreachable),
    ];
    SIGNS.iter().find(|(sign, _)| stderr.contains(sign)).map_or(Trouble::Other, |(_, trouble)| *trouble)
}

/// A line of Helm's as it may be shown: without control characters, and without the objects that some errors dump,
/// which may be Secrets. What stands between the first and the last bracket of a line is taken for a dump, since
/// values may hold brackets themselves.
pub(crate) fn fit(line: &str) -> String {
    let line = text::visible(line);
    let opens = |(at, _): &(usize, &str)| {
        let (before, after) = line.split_at(*at);
        after.starts_with("{\"") || before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == ']')
    };
    let line = match line.match_indices('{').find(opens) {
        Some((start, _)) => without(&line, start + 1, '}'),
        None => line,
    };
    match line.find("map[") {
        Some(start) => without(&line, start + "map[".len(), ']'),
        None => line,
    }
}

/// Leaves out what Helm adds to its answer when it is verbose: all values and manifests, Secrets included, and the
/// notes, whose beginning could as well be a line of a value.
pub(crate) fn without_values() -> impl FnMut(&str) -> Option<String> {
    let mut left_out = false;
    move |line| {
        if left_out {
            return None;
        }
        left_out = line == "USER-SUPPLIED VALUES:";
        Some(if left_out {
            "(values, manifests and notes are left out here, since they may hold secrets: `helm get all` has them)"
                .to_owned()
        } else {
            text::visible(line)
        })
    }
}

fn without(line: &str, start: usize, close: char) -> String {
    let end = line.rfind(close).filter(|end| *end >= start);
    if end == Some(start) {
        line.to_owned()
    } else {
        format!("{}…{}", &line[..start], end.map_or("", |end| &line[end..]))
    }
}

/// Helm's own message, without its logging and the word that it starts with.
pub(crate) fn message(stderr: &str) -> String {
    let start = stderr.lines().position(|line| line.starts_with("Error: "));
    let lines: Vec<String> = stderr.lines().skip(start.unwrap_or(0)).map(fit).collect();
    let text = lines.join("\n");
    let text = text.strip_prefix("Error: ").unwrap_or(&text).trim();
    if text.is_empty() { "helm gave no reason".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn troubles() {
        let check = |stderr: &str, expected: Trouble| assert_eq!(trouble(stderr), expected, "{stderr}");
        check(
            "Error: Kubernetes cluster unreachable: the server has asked for the client to provide credentials",
            Trouble::Unauthorized,
        );
        check(
            "Error: query: failed to query with labels: secrets is forbidden: User \"arn:aws:iam::1:user/a\" cannot list",
            Trouble::Forbidden,
        );
        check(
            "Error: Kubernetes cluster unreachable: Get \"https://127.0.0.1:1/version\": dial tcp 127.0.0.1:1: connect: connection refused",
            Trouble::Unreachable,
        );
        check(
            "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
            Trouble::Pending,
        );
        check("Error: path \"./nope\" not found", Trouble::Other);
    }

    #[test]
    fn rule_16_objects_are_not_dumped() {
        let check = |line: &str, expected: &str| assert_eq!(fit(line), expected);
        check("a: b \u{1b}[31mc", "a: b \u{fffd}[31mc");
        let dump = "spec.template: Invalid value: core.PodTemplateSpec{Env:[]core.EnvVar{{Name:\"P\", Value:\"pa}ss\"}}}: field is immutable";
        check(dump, "spec.template: Invalid value: core.PodTemplateSpec{…}: field is immutable");
        check(
            "The order in patch list: [map[name:P value:pa]ss] map[name:Q]] is",
            "The order in patch list: [map[…] is",
        );
        check("cannot patch: {\"data\":{\"p\":\"cGFzcw==\"}", "cannot patch: {…}");
        check("cannot patch: {\"data\":\"cut", "cannot patch: {…");
        check(
            "parse error at <{{ .Values.x }}>: v1.T{} map[]",
            "parse error at <{{ .Values.x }}>: v1.T{} map[]",
        );
    }

    #[test]
    fn rule_16_verbose_answers_have_no_values() {
        let mut fit = without_values();
        let said = ["NAME: web", "USER-SUPPLIED VALUES:", "password: x", "NOTES:", "y"];
        let shown: Vec<String> = said.iter().filter_map(|line| fit(line)).collect();
        assert_eq!((shown.len(), shown[0].as_str()), (2, "NAME: web"));
        assert!(shown[1].starts_with("(values, manifests and notes are left out"));
    }

    #[test]
    fn messages() {
        let check = |stderr: &str, expected: &str| assert_eq!(message(stderr), expected);
        check("level=WARN msg=x\nError: a\n  b\n", "a\n  b");
        check("coalesce.go:1: warning\n", "coalesce.go:1: warning");
        check("", "helm gave no reason");
    }
}
