//! The functions `parse_reference` and `digest_uri`: names taken apart and put together. They look at nothing.

use ecr_registry::{Digest, NameError, Reference, Repository};
use tfplugin_rs::{CallRequest, Function, FunctionError, Parameter, Signature, Type, Value, async_trait};

/// The function `parse_reference`.
pub(crate) struct ParseReference;

/// The function `digest_uri`.
pub(crate) struct DigestUri;

#[async_trait]
impl Function for ParseReference {
    fn name(&self) -> &'static str {
        "parse_reference"
    }

    fn signature(&self) -> Signature {
        let parts = ["registry", "repository", "repository_name", "tag", "digest", "account_id", "region"];
        Signature::new(Type::object(parts.map(|name| (name.to_owned(), Type::String))))
            .summary("The parts of an image's name.")
            .describe(
                "Takes `registry/name`, with a tag, a digest, both or neither, apart: `registry` is the host, `repository` the \
                 host and the name, `repository_name` the name alone. `tag` and `digest` are null where there is none, \
                 `account_id` and `region` where the registry is not a private one of ECR. A name without a host is one of \
                 Docker Hub: `debian` gives `docker.io/library/debian`.",
            )
            .parameter(Parameter::new("reference", Type::String).describe("The image's name."))
    }

    async fn call(&self, request: CallRequest) -> Result<Value, FunctionError> {
        let reference: Reference = named(&request, 0)?;
        let repository = &reference.repository;
        let ecr = repository.host().ecr();
        Ok(Value::object([
            ("registry", Value::from(repository.host().to_string())),
            ("repository", repository.to_string().into()),
            ("repository_name", repository.name().into()),
            ("tag", reference.tag.as_ref().map(ToString::to_string).into()),
            ("digest", reference.digest.as_ref().map(ToString::to_string).into()),
            ("account_id", ecr.as_ref().map(|ecr| ecr.account.clone()).into()),
            ("region", ecr.map(|ecr| ecr.region).into()),
        ]))
    }
}

#[async_trait]
impl Function for DigestUri {
    fn name(&self) -> &'static str {
        "digest_uri"
    }

    fn signature(&self) -> Signature {
        Signature::new(Type::String)
            .summary("An image's name by its digest.")
            .describe("Puts a repository and a digest together, `repository@sha256:…`, after checking both.")
            .parameter(
                Parameter::new("repository", Type::String)
                    .describe("The repository, with its registry's host."),
            )
            .parameter(Parameter::new("digest", Type::String).describe("The digest, `sha256:…`."))
    }

    async fn call(&self, request: CallRequest) -> Result<Value, FunctionError> {
        let (repository, digest): (Repository, Digest) = (named(&request, 0)?, named(&request, 1)?);
        Ok(format!("{repository}@{digest}").into())
    }
}

fn named<T: std::str::FromStr<Err = NameError>>(
    request: &CallRequest,
    argument: usize,
) -> Result<T, FunctionError> {
    let text: String = request.read(argument)?;
    text.parse().map_err(|error: NameError| {
        let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        FunctionError::new(format!("{error}{hint}")).at(argument)
    })
}

#[cfg(test)]
mod tests {
    use tfplugin_rs::Value;

    use crate::offline::{ECR, digest, offline};

    #[tokio::test]
    async fn names_are_taken_apart() {
        let check = async |reference: &str, expected: [Option<&str>; 7]| {
            let parts = offline().await.call("parse_reference", vec![reference.into()]).await.unwrap();
            let names =
                ["registry", "repository", "repository_name", "tag", "digest", "account_id", "region"];
            assert_eq!(parts, Value::object(names.into_iter().zip(expected.map(Value::from))), "{reference}");
        };
        let (host, name) = ECR.split_once('/').unwrap();
        let (account, region) = (Some("123456789012"), Some("eu-central-1"));
        let (host, name, digest) = (Some(host), Some(name), digest("one"));
        check(&format!("{ECR}:1.8"), [host, Some(ECR), name, Some("1.8"), None, account, region]).await;
        let both = format!("{ECR}:1@{digest}");
        check(&both, [host, Some(ECR), name, Some("1"), Some(&digest), account, region]).await;
        let hub = Some("docker.io/library/debian");
        check("debian", [Some("docker.io"), hub, Some("library/debian"), None, None, None, None]).await;
        let local = Some("127.0.0.1:5000/a/b");
        check("127.0.0.1:5000/a/b", [Some("127.0.0.1:5000"), local, Some("a/b"), None, None, None, None])
            .await;
    }

    #[tokio::test]
    async fn names_are_put_together() {
        let call = async |repository: &str, digest: &str| {
            offline().await.call("digest_uri", vec![repository.into(), digest.into()]).await
        };
        let one = digest("one");
        assert_eq!(call(ECR, &one).await.unwrap(), format!("{ECR}@{one}").into());
        let error = call(ECR, "sha256:1").await.unwrap_err();
        assert_eq!(error.argument, Some(1));
        assert!(error.text.contains("has 1 hexadecimal digits"), "{error}");
        let error = call("shop/Web", &one).await.unwrap_err();
        assert!(error.argument == Some(0) && error.text.contains("did you mean"), "{error}");
    }
}
