//! Answers that the front gives itself, worded as AWS words them.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use serde_json::{Value, json};

/// A success of the ECR API.
pub(crate) fn api(body: &Value) -> Response {
    json_answer(StatusCode::OK, "application/x-amz-json-1.1", body)
}

/// A failure of the ECR API: the exception's name and its sentence.
pub(crate) fn api_error(kind: &str, message: &str) -> Response {
    let body = json!({ "__type": kind, "message": message });
    json_answer(StatusCode::BAD_REQUEST, "application/x-amz-json-1.1", &body)
}

/// A failure of the registry protocol.
pub(crate) fn registry_error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({ "errors": [{ "code": code, "message": message }] });
    json_answer(status, "application/json; charset=utf-8", &body)
}

/// ECR's demand for a password.
pub(crate) fn challenge(host: &str) -> Response {
    let mut answer = Response::new(Body::from("Not Authorized\n"));
    *answer.status_mut() = StatusCode::UNAUTHORIZED;
    let realm = format!("Basic realm=\"https://{host}/\",service=\"ecr.amazonaws.com\"");
    if let Ok(realm) = realm.parse() {
        answer.headers_mut().insert(WWW_AUTHENTICATE, realm);
    }
    answer
}

/// The front itself failed: the whole chain of causes, for whoever reads the test's output.
pub(crate) fn trouble(error: &anyhow::Error) -> Response {
    tracing::error!("{error:#}");
    let mut answer = Response::new(Body::from(format!("ECR front: {error:#}\n")));
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}

fn json_answer(status: StatusCode, media_type: &'static str, body: &Value) -> Response {
    let mut answer = Response::new(Body::from(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(media_type));
    answer
}
