use std::collections::BTreeMap;

/// One way of asking for credentials that a server names in `WWW-Authenticate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    /// `bearer`, `basic`, …, in lower case.
    pub(super) scheme: String,
    /// By name, in lower case.
    pub(super) parameters: BTreeMap<String, String>,
}

impl Challenge {
    pub(super) fn is_basic(&self) -> bool {
        self.scheme == "basic"
    }
}

/// Reads the value of one header, which may hold several challenges. What is malformed is left out.
///
/// Source: RFC 9110, sections 11.2 to 11.6.
pub(super) fn parse(value: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    for part in split_outside_quotes(value) {
        let part = part.trim();
        let (head, parameter) = match part.split_once(|c: char| c.is_whitespace()) {
            Some((head, rest)) if !head.contains('=') => (Some(head), rest.trim()),
            _ if !part.contains('=') => (Some(part), ""),
            _ => (None, part),
        };
        if let Some(scheme) = head.filter(|scheme| !scheme.is_empty()) {
            let scheme = scheme.to_ascii_lowercase();
            challenges.push(Challenge { scheme, parameters: BTreeMap::new() });
        }
        if let (Some(challenge), Some((name, value))) = (challenges.last_mut(), parameter.split_once('=')) {
            challenge.parameters.insert(name.trim().to_ascii_lowercase(), unquoted(value.trim()));
        }
    }
    challenges
}

fn split_outside_quotes(value: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (index, character) in value.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&value[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&value[start..]);
    parts
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        let character = if character == '\\' { characters.next() } else { Some(character) };
        text.extend(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &[(&str, &[(&str, &str)])]) {
        let got = parse(value);
        let got: Vec<(&str, Vec<(&str, &str)>)> = got
            .iter()
            .map(|c| {
                (c.scheme.as_str(), c.parameters.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect())
            })
            .collect();
        let expected: Vec<(&str, Vec<(&str, &str)>)> =
            expected.iter().map(|(s, p)| (*s, p.to_vec())).collect();
        assert_eq!(got, expected, "{value}");
    }

    #[test]
    fn challenges() {
        check("", &[]);
        check(",,", &[]);
        check("Basic", &[("basic", &[])]);
        check(
            "Basic realm=\"https://x/\",service=\"ecr.amazonaws.com\"",
            &[("basic", &[("realm", "https://x/"), ("service", "ecr.amazonaws.com")])],
        );
        check(
            "Bearer realm=\"https://auth/token\", scope=\"repository:a:pull,push\"",
            &[("bearer", &[("realm", "https://auth/token"), ("scope", "repository:a:pull,push")])],
        );
        check(
            "Negotiate, Bearer realm=a, BASIC realm=\"b, c\"",
            &[("negotiate", &[]), ("bearer", &[("realm", "a")]), ("basic", &[("realm", "b, c")])],
        );
        check(r#"Basic realm="say \"hi\"""#, &[("basic", &[("realm", "say \"hi\"")])]);
        check("Bearer realm=\"unfinished", &[("bearer", &[("realm", "\"unfinished")])]);
        check("realm=\"no scheme\"", &[]);
        check("Bearer REALM=x", &[("bearer", &[("realm", "x")])]);
    }
}
