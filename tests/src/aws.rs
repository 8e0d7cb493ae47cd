//! A small client for the lab's own errands to AWS's stand-in: signed requests, and the users, roles and repositories of a test.
//!
//! Blocking, plain HTTP, no retries. What is under test speaks to AWS by itself; nothing here is a model of that.

pub mod identity;

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow, ensure};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::exchange;

/// The one region of the lab.
pub const REGION: &str = "us-east-1";
/// The one account of the lab.
pub const ACCOUNT: &str = "000000000000";

/// A pair of access keys. It prints its id only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// `AWS_ACCESS_KEY_ID`.
    pub id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret: String,
}

impl Keys {
    /// MiniStack's root, whom no policy binds.
    pub fn root() -> Self {
        Self { id: "test".to_owned(), secret: "test".to_owned() }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

/// AWS as one caller reaches it.
#[derive(Debug, Clone)]
pub struct Aws {
    address: SocketAddr,
    keys: Keys,
    session: Option<String>,
}

/// One request before it is signed.
struct Call<'a> {
    service: &'a str,
    method: &'a str,
    path: &'a str,
    headers: Vec<(String, String)>,
    body: String,
}

impl Aws {
    /// The stand-in at this address, as the holder of these keys.
    pub fn at(address: SocketAddr, keys: Keys) -> Self {
        Self { address, keys, session: None }
    }

    /// The same with the session token that belongs to the keys of an assumed role.
    #[must_use]
    pub fn with_session(self, token: &str) -> Self {
        Self { session: Some(token.to_owned()), ..self }
    }

    /// An action of IAM or STS, which speak forms and XML.
    pub fn query(&self, service: &str, action: &str, parameters: &[(&str, &str)]) -> Result<String> {
        let version = if service == "sts" { "2011-06-15" } else { "2010-05-08" };
        let mut body = format!("Action={action}&Version={version}");
        for (name, value) in parameters {
            write!(body, "&{name}={}", percent(value))?;
        }
        let headers = vec![content_type("application/x-www-form-urlencoded")];
        self.send(&Call { service, method: "POST", path: "/", headers, body })
            .with_context(|| format!("{service}:{action} failed"))
    }

    /// A request of a REST service such as EKS.
    pub fn rest(&self, service: &str, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = vec![content_type("application/json")];
        let text = self
            .send(&Call { service, method, path, headers, body })
            .with_context(|| format!("{service}: {method} {path} failed"))?;
        if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
    }

    /// An action of ECR.
    pub fn ecr(&self, action: &str, body: &Value) -> Result<Value> {
        let target = format!("AmazonEC2ContainerRegistry_V20150921.{action}");
        let headers = vec![content_type("application/x-amz-json-1.1"), ("x-amz-target".to_owned(), target)];
        let call = Call { service: "ecr", method: "POST", path: "/", headers, body: body.to_string() };
        let text = self.send(&call).with_context(|| format!("ecr:{action} failed"))?;
        Ok(serde_json::from_str(&text)?)
    }

    fn send(&self, call: &Call<'_>) -> Result<String> {
        let mut headers = call.headers.clone();
        headers.push(("host".to_owned(), self.address.to_string()));
        headers.extend(self.signature(call, &headers)?);
        let answer = exchange(self.address, call.method, call.path, &headers, call.body.as_bytes())?;
        ensure!(answer.is_success(), "status {}: {}", answer.status, answer.body.trim());
        Ok(answer.body)
    }

    fn signature(&self, call: &Call<'_>, headers: &[(String, String)]) -> Result<Vec<(String, String)>> {
        let identity =
            Credentials::new(&self.keys.id, &self.keys.secret, self.session.clone(), None, "lab").into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(call.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let address = format!("http://{}{}", self.address, call.path);
        let names = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request =
            SignableRequest::new(call.method, address, names, SignableBody::Bytes(call.body.as_bytes()))?;
        let (instructions, _) = sign(request, &parameters)?.into_parts();
        Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// The text of the first element of this name.
pub fn element<'a>(xml: &'a str, name: &str) -> Result<&'a str> {
    let missing = || anyhow!("no `{name}` in the answer: {xml}");
    let (_, rest) = xml.split_once(&format!("<{name}>")).ok_or_else(missing)?;
    Ok(rest.split_once("</").ok_or_else(missing)?.0)
}

fn content_type(value: &str) -> (String, String) {
    ("content-type".to_owned(), value.to_owned())
}

/// All but RFC 3986's unreserved characters as `%XX`.
fn percent(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_taken_apart() {
        assert_eq!(element("<R><Arn>arn:aws:x</Arn></R>", "Arn").unwrap(), "arn:aws:x");
        assert_eq!(percent("a b/ä"), "a%20b%2F%C3%A4");
    }

    #[test]
    fn keys_print_no_secret() {
        let keys = Keys { id: "AKIA".to_owned(), secret: "hush".to_owned() };
        assert_eq!(format!("{keys:?}"), r#"Keys { id: "AKIA", .. }"#);
    }
}
