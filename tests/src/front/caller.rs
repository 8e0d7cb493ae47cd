//! Who calls, and what IAM lets them do.
//!
//! MiniStack checks signatures and policies of the AWS API itself. `/v2` carries a password instead of a signature, so
//! the front remembers whom the password was for and asks IAM's policy simulator. The simulator reads identity policies
//! only: permissions boundaries, session policies and repository policies do not count on `/v2`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use axum::body::Body;
use axum::response::Response;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::upstream::MiniStack;
use crate::ecr::{MAX_DOCUMENT, Scope, Signer};

/// MiniStack's root key beside an account's twelve digits.
const ROOT_KEY: &str = "test";

/// An identity, as far as `/v2` needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// The account itself: may do everything.
    Root,
    /// A user or an assumed role.
    Principal {
        /// What a denial names: the user, or the role's session.
        arn: String,
        /// Whose policies count: the user, or the role.
        policies: String,
    },
}

/// Whether a request may begin a role session: STS's are forms, as are those of a few other services.
pub(super) fn may_begin_session(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"))
}

/// The identities seen so far.
#[derive(Debug, Default)]
pub(super) struct Callers {
    /// Access keys of role sessions that began through the front: MiniStack tells nobody afterwards whose they are.
    sessions: Mutex<HashMap<String, String>>,
    accounts: Mutex<HashMap<String, String>>,
}

impl Callers {
    /// The account of a key that MiniStack has just accepted.
    pub(super) async fn scope(&self, upstream: &MiniStack, signer: Signer) -> Result<Scope> {
        let Signer { key, region } = signer;
        let known = lock(&self.accounts).get(&key).cloned();
        let account = match known {
            Some(account) => account,
            None => self.ask_account(upstream, &key).await?,
        };
        Ok(Scope { account, region })
    }

    async fn ask_account(&self, upstream: &MiniStack, key: &str) -> Result<String> {
        let account = if is_account(key) {
            key.to_owned()
        } else if key == ROOT_KEY {
            text(&upstream.query("sts", ROOT_KEY, &[("Action", "GetCallerIdentity")]).await?, "Account")?
        } else {
            let form = [("Action", "GetAccessKeyInfo"), ("AccessKeyId", key)];
            text(&upstream.query("sts", ROOT_KEY, &form).await?, "Account")?
        };
        lock(&self.accounts).insert(key.to_owned(), account.clone());
        Ok(account)
    }

    /// The identity behind a key that MiniStack has just accepted.
    pub(super) async fn identify(&self, upstream: &MiniStack, key: &str, account: &str) -> Result<Caller> {
        if key == ROOT_KEY || is_account(key) {
            return Ok(Caller::Root);
        }
        let session = lock(&self.sessions).get(key).cloned();
        if let Some(arn) = session {
            let role = arn.split('/').nth(1).with_context(|| format!("`{arn}` names no role"))?;
            let policies = format!("arn:aws:iam::{account}:role/{role}");
            return Ok(Caller::Principal { arn, policies });
        }
        if key.starts_with("ASIA") {
            bail!("the session of key `{key}` did not begin through the front: send STS through it as well");
        }
        let last_use = upstream
            .query("iam", account, &[("Action", "GetAccessKeyLastUsed"), ("AccessKeyId", key)])
            .await?;
        let name = text(&last_use, "UserName")?;
        let user = upstream.query("iam", account, &[("Action", "GetUser"), ("UserName", &name)]).await?;
        Ok(Caller::Principal {
            arn: text(&user, "Arn")?,
            policies: format!("arn:aws:iam::{account}:user/{name}"),
        })
    }

    /// Why the caller may not do this, in AWS's words; `None` when it may.
    pub(super) async fn denial(
        &self,
        upstream: &MiniStack,
        caller: &Caller,
        account: &str,
        action: &str,
        resource: &str,
    ) -> Result<Option<String>> {
        let Caller::Principal { arn, policies } = caller else { return Ok(None) };
        let form = [
            ("Action", "SimulatePrincipalPolicy"),
            ("PolicySourceArn", policies),
            ("ActionNames.member.1", action),
            ("ResourceArns.member.1", resource),
        ];
        let decision = text(&upstream.query("iam", account, &form).await?, "EvalDecision")?;
        let reason = match decision.as_str() {
            "allowed" => return Ok(None),
            "explicitDeny" => "with an explicit deny in an identity-based policy".to_owned(),
            _ => format!("because no identity-based policy allows the {action} action"),
        };
        Ok(Some(format!(
            "User: {arn} is not authorized to perform: {action} on resource: {resource} {reason}"
        )))
    }

    /// Remembers whose session the answer of an `AssumeRole` begins; every answer goes on as it came.
    pub(super) async fn watch(&self, answer: Response) -> Result<Response> {
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, MAX_DOCUMENT).await?;
        if let Some((key, arn)) = std::str::from_utf8(&body).ok().and_then(session) {
            lock(&self.sessions).insert(key, arn);
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

/// The access key and the ARN of a role session that begins with this answer.
fn session(xml: &str) -> Option<(String, String)> {
    let (_, role) = xml.split_once("<AssumedRoleUser>")?;
    Some((text(xml, "AccessKeyId").ok()?, text(role, "Arn").ok()?))
}

/// The text of the first element of that name. The names and ARNs read here hold no character that XML escapes.
fn text(xml: &str, element: &str) -> Result<String> {
    let start = xml.split_once(&format!("<{element}>")).map(|(_, rest)| rest);
    let found = start.and_then(|rest| rest.split_once(&format!("</{element}>")));
    found.map(|(text, _)| text.to_owned()).with_context(|| format!("MiniStack's answer has no `{element}`"))
}

fn is_account(key: &str) -> bool {
    key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_digit())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_from_an_assumed_role() {
        let xml = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA1</AccessKeyId></Credentials>\
                   <AssumedRoleUser><AssumedRoleId>x:y</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/ci/run</Arn>\
                   </AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>";
        assert_eq!(session(xml), Some(("ASIA1".into(), "arn:aws:sts::1:assumed-role/ci/run".into())));
        assert_eq!(session("<GetUserResponse><Arn>arn</Arn></GetUserResponse>"), None);
    }
}
