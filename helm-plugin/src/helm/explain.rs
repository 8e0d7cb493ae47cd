//! What Helm's error text means, where its cause lies outside of Helm.

/// A cause that we can say more about than Helm does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The cluster does not know the identity: HTTP 401.
    Unauthorized,
    /// The identity may not do something in the cluster: HTTP 403.
    Forbidden,
    /// The API server cannot be reached.
    Unreachable,
    /// Another operation holds the release.
    Pending,
    /// Nothing that we know more about.
    Other,
}

/// Reads Helm's error text. The order matters: an unauthorized answer is wrapped in "cluster unreachable".
pub(crate) fn trouble(stderr: &str) -> Trouble {
    const SIGNS: [(&str, Trouble); 10] = [
        ("the server has asked for the client to provide credentials", Trouble::Unauthorized),
        ("Unauthorized", Trouble::Unauthorized),
        ("is forbidden: User", Trouble::Forbidden),
        ("another operation (install/upgrade/rollback) is in progress", Trouble::Pending),
        ("ubernetes cluster unreachable", Trouble::Unreachable),
        ("connection refused", Trouble::Unreachable),
        ("no such host", Trouble::Unreachable),
        ("i/o timeout", Trouble::Unreachable),
        ("TLS handshake timeout", Trouble::Unreachable),
        ("certificate signed by unknown authority", Trouble::Unreachable),
    ];
    SIGNS.iter().find(|(sign, _)| stderr.contains(sign)).map_or(Trouble::Other, |(_, trouble)| *trouble)
}

/// Helm's own message, without its logging and the word that it starts with.
pub(crate) fn message(stderr: &str) -> String {
    let start = stderr.lines().position(|line| line.starts_with("Error: "));
    let lines: Vec<&str> = stderr.lines().skip(start.unwrap_or(0)).collect();
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
    fn messages() {
        let check = |stderr: &str, expected: &str| assert_eq!(message(stderr), expected);
        check("level=WARN msg=x\nError: a\n  b\n", "a\n  b");
        check("coalesce.go:1: warning\n", "coalesce.go:1: warning");
        check("", "helm gave no reason");
    }
}
