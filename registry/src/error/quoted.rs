use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

/// What somebody else said, fit to be shown: on one line, not too long, and without what must not be seen.
///
/// Servers repeat what they were sent, and name signed URLs. Whoever reads the message needs neither.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 500;
    // Before it is cut, so that no half of a secret is left; and after so much that no answer costs much time.
    let start: String = text.chars().take(8 * LONGEST).collect();
    let line = start.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = without_secrets(&line).chars().filter(|c| !c.is_control()).collect();
    let shown: String = line.chars().take(LONGEST).collect();
    if shown.len() < line.len() { shown + "…" } else { shown }
}

/// A kind of text that gives something away, and what to put in its place.
type Rule = (Regex, Instead);

type Instead = fn(&Captures<'_>) -> String;

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rules: [(&str, Instead); 6] = [
        // A URL's user and password, and its query, which may be a signature.
        (r#"(?i)(\w+://)[^\s/@"'<>]+@"#, |found| format!("{}***@", &found[1])),
        (r#"(?i)(\w+://[^\s?"'<>]+)\?[^\s"'<>]+"#, |found| format!("{}?***", &found[1])),
        // A header.
        (
            r#"(?i)\b((?:proxy-)?authorization|x-amz-security-token|x-registry-auth|(?:set-)?cookie)(["']?\s*[:=]\s*["']?)[^"',;}]+"#,
            |found| format!("{}{}***", &found[1], &found[2]),
        ),
        (r"(?i)\b(bearer|basic)(\s+)([a-z0-9+/_.~-]{8,}=*)", |found| match &found[3] {
            word if is_mixed(word) => format!("{}{}***", &found[1], &found[2]),
            _ => found[0].to_owned(),
        }),
        // A field: `"token": "…"`, `password=…`.
        (
            r#"(?i)\b([\w-]*(?:password|passwd|secret|token|signature|credential|apikey|api_key|api-key)[\w-]*)("\s*:\s*"|'\s*:\s*'|=["']?)[^\s"',;&}]+"#,
            |found| format!("{}{}***", &found[1], &found[2]),
        ),
        // A token in itself: long, and of letters and digits as no name is.
        (r"[A-Za-z0-9+/_-]{32,}(?:\.[A-Za-z0-9+/_-]+)*=*", |found| match &found[0] {
            word if is_random(word) => "***".to_owned(),
            word => word.to_owned(),
        }),
    ];
    let rule = |(pattern, instead)| (Regex::new(pattern).expect("a pattern that a test uses"), instead);
    rules.into_iter().map(rule).collect()
});

fn without_secrets(text: &str) -> String {
    let replace = |text: String, (pattern, instead): &Rule| pattern.replace_all(&text, instead).into_owned();
    RULES.iter().fold(text.to_owned(), replace)
}

/// Whether it is more than a word of a sentence.
fn is_mixed(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) || word.len() > 20
}

/// Whether it has all that random text has. Digests have no capitals, and names no such length without their dots.
fn is_random(word: &str) -> bool {
    let has = |what: fn(&u8) -> bool| word.bytes().any(|b| what(&b));
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_shown() {
        let check = |text: &str, expected: &str| assert_eq!(quoted(text), expected, "{text}");
        check("", "");
        check("Rate exceeded", "Rate exceeded");
        check(" a\r\n\tb\u{7}c ", "a bc");
        check(&"x".repeat(501), &format!("{}…", "x".repeat(500)));
        // Nothing in these is secret.
        for text in [
            "no basic auth credentials",
            "Basic authentication required",
            "The security token included in the request is invalid",
            "Your authorization token has expired. Reauthenticate and try again.",
            "User: arn:aws:sts::123456789012:assumed-role/Deploy/i-0abc is not authorized to perform: ecr:PutImage on \
             resource: arn:aws:ecr:eu-central-1:123456789012:repository/shop/web because no policy allows it",
            "First byte of the layer part is 0 instead of 11304960",
            "layer sha256:9c1f0000000000000000000000000000000000000000000000000000000000ab",
            "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/v2/shop/web/manifests/latest",
            "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn what_must_not_be_seen() {
        let check = |text: &str, expected: &str| assert_eq!(quoted(text), expected, "{text}");
        check("bad Authorization: Basic QVdTOmh1bnRlcjI=", "bad Authorization: ***");
        check(
            r#"{"headers":{"Authorization":"Bearer abc"},"a":1}"#,
            r#"{"headers":{"Authorization":"***"},"a":1}"#,
        );
        check("got Basic QVdTOmh1bnRlcjI= and", "got Basic *** and");
        check("got bearer eyJhbGciOi.eyJzdWIi.c2ln", "got bearer ***");
        check(r#"{"token": "abc", "expires_in": 300}"#, r#"{"token": "***", "expires_in": 300}"#);
        check("aws_secret_access_key=abc&x=1", "aws_secret_access_key=***&x=1");
        check("password='hunter2'", "password='***'");
        check(
            "GET https://prod-eu-central-1-starport-layer-bucket.s3.eu-central-1.amazonaws.com/a/b?X-Amz-Algorithm=AWS4-HMAC-\
             SHA256&X-Amz-Signature=0123abcd failed",
            "GET https://prod-eu-central-1-starport-layer-bucket.s3.eu-central-1.amazonaws.com/a/b?*** failed",
        );
        check("X-Amz-Signature=0123abcd", "X-Amz-Signature=***");
        check("http://ada:hunter2@proxy:3128", "http://***@proxy:3128");
        check("the key wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY1 is bad", "the key *** is bad");
        check(&format!("password {}", "eyJwYXlsb2FkIjoi".repeat(99)), "password ***");
    }
}
