//! Gives BuildKit the credentials it needs for base images. They stay in memory, here and there.

use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse, GetTokenAuthorityRequest,
    GetTokenAuthorityResponse, VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse, auth_server::Auth,
};
use ecr_registry::{Host, Registry};
use tonic::{Request, Response, Status};

/// What BuildKit calls Docker Hub.
const DOCKER_HUB: [&str; 2] = ["registry-1.docker.io", "index.docker.io"];

/// Answers with what this program itself would use for a registry.
pub(super) struct Credentials {
    registry: Registry,
}

impl Credentials {
    pub(super) fn new(registry: Registry) -> Self {
        Self { registry }
    }
}

#[tonic::async_trait]
impl Auth for Credentials {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let named = &request.get_ref().host;
        let host = if DOCKER_HUB.contains(&named.as_str()) { Ok(Host::docker_hub()) } else { named.parse() };
        let host =
            host.map_err(|error: ecr_registry::NameError| Status::invalid_argument(error.to_string()))?;
        let login = self.registry.login(&host).await;
        // The words of the error may quote a service; they go to BuildKit's log, so they are not passed on.
        let login = login.map_err(|_| Status::unavailable(format!("no credentials for {host}")))?;
        Ok(Response::new(login.map_or_else(CredentialsResponse::default, |login| CredentialsResponse {
            username: login.user,
            secret: login.password.expose().to_owned(),
        })))
    }

    async fn fetch_token(
        &self,
        _: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("BuildKit fetches its tokens itself"))
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("BuildKit fetches its tokens itself"))
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("BuildKit fetches its tokens itself"))
    }
}

#[cfg(test)]
mod tests {
    use ecr_registry::{Login, Secret, Settings};

    use super::*;

    #[tokio::test]
    async fn answers_with_the_registrys_own_credentials() {
        let login = Login { user: "me".to_owned(), password: Secret::new("word".to_owned()) };
        let logins = [(Host::docker_hub(), login)].into();
        let registry = Registry::new(Settings { logins, ..Settings::default() }).unwrap();
        let credentials = Credentials::new(registry);
        for (host, expected) in [
            ("registry-1.docker.io", Ok(("me", "word"))),
            ("docker.io", Ok(("me", "word"))),
            ("127.0.0.1:5000", Ok(("", ""))),
            ("no host", Err(tonic::Code::InvalidArgument)),
        ] {
            let request = Request::new(CredentialsRequest { host: host.to_owned() });
            let answer = credentials.credentials(request).await.map(Response::into_inner);
            let answer = answer.as_ref().map(|answer| (answer.username.as_str(), answer.secret.as_str()));
            assert_eq!(answer.map_err(Status::code), expected, "{host}");
        }
    }
}
