use std::time::{Duration, SystemTime};

use aws_sdk_ecr::primitives::{DateTime, DateTimeFormat};
use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use reqwest::Response;
use serde::Deserialize;

use super::http::read_limited;
use crate::{
    error::{Denied, ErrorKind, quoted},
    names::Repository,
    settings::Patience,
};

/// A registry's answer with a status from 400 on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) errors: Vec<Reason>,
    /// Whether other credentials are at hand since.
    pub(crate) renewed: bool,
}

/// One reason a registry gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Reason {
    /// `NAME_UNKNOWN` and so on.
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
}

impl Refusal {
    /// Reads what the registry says. A body that cannot be read says nothing.
    pub(super) async fn read(response: Response, patience: &Patience) -> Self {
        const MAX_SIZE: u64 = 64 * 1024;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_limited(response, MAX_SIZE, patience).await.unwrap_or_default();
        Self { status, headers, errors: reasons(&body), renewed: false }
    }

    pub(crate) fn has(&self, code: &str) -> bool {
        self.errors.iter().any(|reason| reason.code == code)
    }

    /// The registry's words: `CODE: message; CODE: message`.
    pub(crate) fn message(&self) -> String {
        let texts = self.errors.iter().map(|reason| match (reason.code.as_str(), reason.message.as_str()) {
            ("", message) => message.to_owned(),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}: {message}"),
        });
        texts.collect::<Vec<_>>().join("; ")
    }

    /// Whether the registry did not like the credentials, or missed them.
    pub(crate) fn wants_credentials(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED || self.is_expired()
    }

    /// Whether it is a matter of who asks.
    pub(crate) fn is_about_access(&self) -> bool {
        matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }

    /// ECR answers an expired password as if it were a lack of permission.
    fn is_expired(&self) -> bool {
        self.status == StatusCode::FORBIDDEN
            && self.errors.iter().any(|reason| reason.message.contains("token has expired"))
    }

    /// Whether the same request may be taken a little later.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.status.as_u16(), 408 | 425 | 429 | 499 | 500 | 502 | 503 | 504 | 520..=524)
            || self.has("TOOMANYREQUESTS")
    }

    /// Whether it was one request too many.
    pub(crate) fn is_throttled(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS || self.has("TOOMANYREQUESTS")
    }

    /// How long the registry asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let time = DateTime::from_str(text, DateTimeFormat::HttpDate).ok()?;
        let time = SystemTime::try_from(time).ok()?;
        Some(time.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// What the refusal means.
    pub(crate) fn kind(&self, repository: &Repository) -> ErrorKind {
        let message = self.message();
        let status = self.status.to_string();
        if self.has("NAME_UNKNOWN") {
            return ErrorKind::RepositoryMissing(repository.clone());
        }
        if self.is_content_missing() {
            return ErrorKind::ContentMissing(message);
        }
        match self.status.as_u16() {
            403 => Denied::parse(&message).into(),
            404 if !self.has("BLOB_UPLOAD_UNKNOWN") => ErrorKind::ImageMissing,
            _ if self.is_throttled() => ErrorKind::Throttled(message),
            408 | 425 | 499 | 500.. => ErrorKind::Unavailable { status, message },
            _ => ErrorKind::Refused { status, message },
        }
    }

    /// Whether a manifest was refused because what it names is not there.
    fn is_content_missing(&self) -> bool {
        const CODES: [&str; 3] = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNVERIFIED"];
        const WORDS: [&str; 3] = ["LayersNotFound", "LayerInaccessible", "ReferencedImagesNotFound"];
        CODES.iter().any(|code| self.has(code))
            || self.errors.iter().any(|reason| {
                WORDS.iter().any(|word| reason.message.contains(word) || reason.code.contains(word))
            })
    }
}

/// `{"errors": [{"code", "message"}]}`, else the start of a text.
pub(super) fn reasons(body: &[u8]) -> Vec<Reason> {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<Reason>,
    }
    const MOST: usize = 8;
    if let Ok(Errors { errors }) = serde_json::from_slice(body) {
        let fit = |reason: Reason| Reason { code: quoted(&reason.code), message: quoted(&reason.message) };
        return errors.into_iter().take(MOST).map(fit).collect();
    }
    let text = quoted(&String::from_utf8_lossy(body));
    if text.is_empty() || text.starts_with('<') {
        return Vec::new();
    }
    vec![Reason { code: String::new(), message: text }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        let status = StatusCode::from_u16(status).unwrap();
        Refusal { status, errors: reasons(body.as_bytes()), ..Refusal::default() }
    }

    #[test]
    fn meanings() {
        let repository: Repository = "123456789012.dkr.ecr.us-east-1.amazonaws.com/web".parse().unwrap();
        let check = |status, body: &str, expected: &str, transient: bool| {
            let refusal = refusal(status, body);
            assert_eq!(refusal.kind(&repository).to_string(), expected, "{body}");
            assert_eq!(refusal.is_transient(), transient, "{body}");
            assert_eq!(refusal.kind(&repository).is_transient(), transient, "{body}");
        };
        let error = |code: &str, message: &str| {
            format!(r#"{{"errors":[{{"code":"{code}","message":"{message}","detail":{{}}}}]}}"#)
        };
        check(
            404,
            &error("NAME_UNKNOWN", "The repository with name 'web' does not exist in the registry"),
            "repository `123456789012.dkr.ecr.us-east-1.amazonaws.com/web` does not exist",
            false,
        );
        check(
            404,
            &error("MANIFEST_UNKNOWN", "Requested image not found"),
            "the registry has no such image",
            false,
        );
        check(404, "", "the registry has no such image", false);
        check(
            403,
            &error(
                "DENIED",
                "User: arn:aws:iam::1:user/a is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:r:1:repository/web because x",
            ),
            "not allowed: ecr:PutImage is missing: DENIED: User: arn:aws:iam::1:user/a is not authorized to \
             perform: ecr:PutImage on resource: arn:aws:ecr:r:1:repository/web because x",
            false,
        );
        check(403, "<html>no</html>", "not allowed", false);
        check(
            429,
            &error("TOOMANYREQUESTS", "Rate exceeded"),
            "the registry asks to slow down: TOOMANYREQUESTS: Rate exceeded",
            true,
        );
        check(
            503,
            "upstream  is\n away",
            "the registry is in trouble: 503 Service Unavailable: upstream is away",
            true,
        );
        check(
            405,
            &error("UNSUPPORTED", "Invalid JSON syntax"),
            "the registry refuses: 405 Method Not Allowed: UNSUPPORTED: Invalid JSON syntax",
            false,
        );
        check(
            400,
            &error("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"),
            "the registry misses content that the manifest names: MANIFEST_BLOB_UNKNOWN: blob unknown to registry",
            false,
        );
    }

    #[test]
    fn expired_passwords_want_new_ones() {
        let expired = r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#;
        let check = |status, body, expected| assert_eq!(refusal(status, body).wants_credentials(), expected);
        check(403, expired, true);
        check(401, "", true);
        check(403, "", false);
        check(400, expired, false);
    }

    #[test]
    fn times_to_wait() {
        let check = |text: &'static str, expected: Option<u64>| {
            let mut refusal = refusal(429, "");
            refusal.headers.insert(RETRY_AFTER, http::HeaderValue::from_static(text));
            assert_eq!(refusal.retry_after().map(|wait| wait.as_secs()), expected, "{text}");
        };
        check("7", Some(7));
        check("Wed, 21 Oct 2015 07:28:00 GMT", Some(0));
        check("soon", None);
        check("-1", None);
        check("", None);
    }
}
