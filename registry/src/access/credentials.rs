use std::collections::BTreeMap;

use http::HeaderValue;

use super::{
    auth_file::{AuthFile, Dialect},
    ecr_token::EcrTokens,
    helper::{Answer, Helpers, program},
};
use crate::{
    ecr::EcrClients,
    error::ErrorKind,
    names::{Host, Repository},
    secret::Secret,
    settings::{Login, Settings},
};

/// What credentials are for: a repository, or a whole registry if the name is empty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(super) host: &'a Host,
    pub(super) name: &'a str,
}

impl<'a> From<&'a Repository> for Place<'a> {
    fn from(repository: &'a Repository) -> Self {
        Self { host: repository.host(), name: repository.name() }
    }
}

impl<'a> From<&'a Host> for Place<'a> {
    fn from(host: &'a Host) -> Self {
        Self { host, name: "" }
    }
}

/// What proves who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// A user and a password.
    Login(Login),
    /// A token to be exchanged at a registry's token server, which docker calls identity token.
    Identity(Secret),
}

/// Where credentials were found.
#[derive(Debug, Clone)]
pub(super) enum Credentials {
    Found {
        proof: Proof,
        /// Where they come from, in words.
        origin: String,
    },
    /// None; these places were looked at.
    Anonymous { tried: Vec<String> },
}

/// The places where credentials are looked for, in order.
pub(super) struct Chain {
    logins: BTreeMap<Host, Login>,
    ecr: Option<EcrTokens>,
    files: Vec<AuthFile>,
    helpers: Helpers,
}

impl Chain {
    pub(super) fn new(settings: &Settings, ecr: Option<EcrClients>) -> Self {
        let docker = settings.docker_config.clone().map(|path| AuthFile::new(path, Dialect::Docker));
        let containers = settings.containers_auth.iter().cloned();
        let containers = containers.map(|path| AuthFile::new(path, Dialect::Containers));
        Self {
            logins: settings.logins.clone(),
            ecr: ecr.map(EcrTokens::new),
            files: docker.into_iter().chain(containers).collect(),
            helpers: Helpers::new(settings.helper_path.clone(), settings.patience.helper),
        }
    }

    pub(super) async fn find(&self, place: Place<'_>) -> Result<Credentials, ErrorKind> {
        let mut tried = vec!["logins given for the host".to_owned()];
        if let Some(login) = self.logins.get(place.host) {
            return Ok(found(Proof::Login(login.clone()), "the login given for the host"));
        }
        let mut of_aws = None;
        match (place.host.ecr(), &self.ecr) {
            (Some(ecr), Some(tokens)) => match tokens.login(&ecr).await {
                Ok(login) => return Ok(found(Proof::Login(login), "AWS")),
                // Somebody may have logged in to ECR for us.
                Err(error @ ErrorKind::AwsCredentials { .. }) => of_aws = Some(error),
                Err(error) => return Err(error),
            },
            (Some(_), None) => tried.push("AWS, which is not set up".to_owned()),
            (None, Some(tokens)) if place.host.is_public_ecr() => match tokens.public_login().await {
                Ok(login) => return Ok(found(Proof::Login(login), "AWS")),
                Err(reason) => tried.push(format!("AWS ({reason})")),
            },
            (None, _) => {}
        }
        for file in &self.files {
            if let Some(credentials) = self.find_in(file, place, &mut tried).await? {
                return Ok(credentials);
            }
        }
        if self.files.is_empty() {
            tried.push("docker configuration, of which there is none".to_owned());
        }
        of_aws.map_or(Ok(Credentials::Anonymous { tried }), Err)
    }

    async fn find_in(
        &self,
        file: &AuthFile,
        place: Place<'_>,
        tried: &mut Vec<String>,
    ) -> Result<Option<Credentials>, ErrorKind> {
        if let Some(name) = file.helper(place.host).await? {
            match self.helpers.ask(name, place.host).await? {
                Answer::Has(proof) => return Ok(Some(found(proof, &program(name)))),
                Answer::HasNone => tried.push(program(name)),
                Answer::NotInstalled => tried.push(format!("{}, which is not installed", program(name))),
            }
        }
        tried.push(file.place());
        Ok(file.proof(place).await?.map(|proof| found(proof.clone(), &file.place())))
    }

    /// The registry did not accept what was sent. What can be had anew is forgotten.
    pub(super) async fn refused(&self, host: &Host, sent: Option<&HeaderValue>) -> Result<(), ErrorKind> {
        if self.logins.contains_key(host) {
            return Ok(());
        }
        if let (Some(ecr), Some(tokens)) = (host.ecr(), &self.ecr) {
            tokens.forget(&ecr, sent).await;
        }
        for file in &self.files {
            if let Some(name) = file.helper(host).await? {
                self.helpers.forget(name, host, sent).await;
            }
        }
        Ok(())
    }
}

fn found(proof: Proof, origin: &str) -> Credentials {
    Credentials::Found { proof, origin: origin.to_owned() }
}
