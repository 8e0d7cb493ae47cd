//! The two calls of STS that a client of ECR makes: who am I, and let me be a role.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Query;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{StatusCode, Uri};

use super::super::Shared;
use super::super::identity::Identity;
use super::super::refusal::Refusal;
use crate::aws::Keys;
use crate::ecr::Signer;

/// The answer to a form that was posted.
pub(super) fn answer(shared: &Shared, parts: &Parts, body: &[u8]) -> Response {
    let form = form(body);
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let identity = match caller(shared, parts, body) {
        Ok(identity) => identity,
        Err(refusal) => return error(&refusal),
    };
    let entry = shared.ledger.open(format!("sts:{}", field("Action")), None);
    let result = match field("Action") {
        "GetCallerIdentity" => {
            format!("<Account>{}</Account><Arn>{}</Arn>", identity.account(), identity.arn)
        }
        "AssumeRole" => match assume(shared, &identity, field("RoleArn"), field("RoleSessionName")) {
            Ok(result) => result,
            Err(refusal) => return entry.close(error(&refusal)),
        },
        _ => return entry.close(error(&Refusal::no_such_path())),
    };
    let action = field("Action");
    let text = format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>");
    entry.close(xml(StatusCode::OK, text))
}

/// A form is written as a query is.
fn form(body: &[u8]) -> HashMap<String, String> {
    let uri = format!("/?{}", String::from_utf8_lossy(body)).parse::<Uri>();
    let query = uri.ok().and_then(|uri| Query::try_from_uri(&uri).ok());
    query.map(|Query(form)| form).unwrap_or_default()
}

fn caller(shared: &Shared, parts: &Parts, body: &[u8]) -> Result<Identity, Refusal> {
    let missing =
        || Refusal::signature("MissingAuthenticationToken", "Request is missing Authentication Token");
    let signer = Signer::of(&parts.headers).ok_or_else(missing)?;
    let identity = shared.state().identities.get(&signer.key).cloned().ok_or_else(missing)?;
    identity.signed(parts, body, "sts")?;
    Ok(identity)
}

/// Makes an identity for a session of the role; it may do everything.
fn assume(shared: &Shared, caller: &Identity, role: &str, session: &str) -> Result<String, Refusal> {
    caller.may("sts:AssumeRole", role)?;
    let parts: Vec<&str> = role.split(':').collect();
    let (Some(account), Some(name)) = (parts.get(4), role.rsplit('/').next()) else {
        return Err(Refusal::parameter("roleArn", "must be the ARN of a role"));
    };
    let arn = format!("arn:aws:sts::{account}:assumed-role/{name}/{session}");
    let secret = shared.name();
    let id = format!("ASIA{:.16}", shared.name().to_uppercase());
    let identity = Identity::new(Keys { id: id.clone(), secret: secret.clone() }, &arn);
    shared.state().identities.insert(id.clone(), identity);
    let expires = shared.clock.now() + Duration::from_hours(1);
    Ok(format!(
        "<Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
         <SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>AROA:{session}</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>",
        shared.name(),
        super::super::clock::stamp(expires)
    ))
}

fn error(refusal: &Refusal) -> Response {
    let Refusal { exception, message, .. } = refusal;
    let text = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{exception}</Code><Message>{message}</Message></Error></ErrorResponse>"
    );
    xml(refusal.status, text)
}

fn xml(status: StatusCode, text: String) -> Response {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("text/xml"));
    answer
}
