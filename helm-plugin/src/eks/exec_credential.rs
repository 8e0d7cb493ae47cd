//! How a Kubernetes client asks an exec plugin for a token, and how it wants the answer.
//!
//! Pure. The answer repeats the `apiVersion` of the question: clients refuse any other.

use aws_smithy_types::date_time::{DateTime, Format};
use serde::{Deserialize, Serialize};

use super::token::Token;
use crate::{exit::Exit, failure::Explain};

/// The environment variable that carries the question.
pub(crate) const VARIABLE: &str = "KUBERNETES_EXEC_INFO";

/// What clients ask in when they do not say: the version that older kubeconfigs name.
const DEFAULT_VERSION: ApiVersion = ApiVersion::V1Beta1;

/// The versions of the question that clients in use ask in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ApiVersion {
    /// Since Kubernetes 1.22.
    #[serde(rename = "client.authentication.k8s.io/v1")]
    V1,
    /// Before that, and in the kubeconfigs that the AWS CLI writes.
    #[serde(rename = "client.authentication.k8s.io/v1beta1")]
    V1Beta1,
}

/// The question cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("{VARIABLE} is not an ExecCredential of version v1 or v1beta1")]
pub(crate) struct QuestionError(#[source] serde_json::Error);

impl Explain for QuestionError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("set the exec entry of the kubeconfig to apiVersion client.authentication.k8s.io/v1".to_owned())
    }
}

/// The version that the question wants answered; `question` is the variable's text.
pub(crate) fn requested_version(question: Option<&str>) -> Result<ApiVersion, QuestionError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Question {
        api_version: ApiVersion,
    }
    let Some(text) = question.filter(|text| !text.is_empty()) else { return Ok(DEFAULT_VERSION) };
    serde_json::from_str::<Question>(text).map(|question| question.api_version).map_err(QuestionError)
}

/// The answer, one line of JSON.
pub(crate) fn answer(version: ApiVersion, token: &Token) -> String {
    let expiration = DateTime::from_secs(DateTime::from(token.expires_at).secs());
    // Written by `json!` and not by a struct: this is the shape as the Kubernetes documentation shows it.
    serde_json::json!({
        "kind": "ExecCredential",
        "apiVersion": version,
        "spec": {},
        "status": {
            "expirationTimestamp": expiration.fmt(Format::DateTime).unwrap_or_default(),
            "token": token.expose(),
        },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use aws_credential_types::Credentials;

    use super::*;
    use crate::eks::token::token;

    fn check(question: Option<&str>, expected: Result<ApiVersion, &str>) {
        let got = requested_version(question).map_err(|error| error.to_string());
        assert_eq!(got, expected.map_err(str::to_owned), "{question:?}");
    }

    #[test]
    fn answers_in_the_version_of_the_question() {
        let refused = "KUBERNETES_EXEC_INFO is not an ExecCredential of version v1 or v1beta1";
        check(None, Ok(ApiVersion::V1Beta1));
        check(Some(""), Ok(ApiVersion::V1Beta1));
        check(
            Some(
                r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}}"#,
            ),
            Ok(ApiVersion::V1),
        );
        check(Some(r#"{"apiVersion":"client.authentication.k8s.io/v1beta1"}"#), Ok(ApiVersion::V1Beta1));
        check(Some(r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1"}"#), Err(refused));
        check(Some("{}"), Err(refused));
        check(Some("no JSON"), Err(refused));
    }

    #[test]
    fn answer_has_kubernetes_shape() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_323_045_678);
        let keys = Credentials::new("A", "B", None, None, "test");
        let token = token(&keys, "c", "us-east-1", "sts.us-east-1.amazonaws.com", now).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&answer(ApiVersion::V1, &token)).unwrap();
        assert_eq!(answer["apiVersion"], "client.authentication.k8s.io/v1");
        assert_eq!(answer["kind"], "ExecCredential");
        assert_eq!(answer["status"]["expirationTimestamp"], "2026-01-02T03:18:05Z");
        assert_eq!(answer["status"]["token"], token.expose());
    }
}
