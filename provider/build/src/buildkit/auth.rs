//! Gives BuildKit the credentials it needs for base images. They stay in memory, here and there.

use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse, GetTokenAuthorityRequest,
    GetTokenAuthorityResponse, VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse, auth_server::Auth,
};
use ecr_registry::{Error, Host, Login, Registry};
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

async fn login(_registry: &Registry, _host: &Host) -> Result<Option<Login>, Error> {
    Ok(None)
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
        let login = login(&self.registry, &host).await;
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
