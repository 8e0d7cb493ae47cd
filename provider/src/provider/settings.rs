//! What can be written in `provider "ecr"`: by the names that users of hashicorp/aws know, and what is our own.

use std::collections::{BTreeMap, BTreeSet};

use ecr_registry::{Host, Platform, Tag};
use image_build::{Address, ClientTls, Endpoint};
use tfplugin_rs::{Diagnostics, GoDuration, Object, Rule, Sensitive, Validator, Value};

use crate::form;

/// Builds service images and pushes them to Amazon ECR. Without settings, AWS's usual ones apply: environment,
/// profiles, roles.
#[derive(Object)]
#[object(
    rule = Rule::required_with(["access_key", "secret_key"]),
    rule = Rule::required_with(["secret_key", "access_key"]),
    rule = Rule::required_with(["token", "access_key"]),
    rule = Rule::conflicts(["allowed_account_ids", "forbidden_account_ids"])
)]
pub(crate) struct Written {
    /// The AWS region. Each ECR registry names its own; this is for repositories that are written without a registry,
    /// and for everything else.
    #[object(validate = form::region())]
    pub(super) region: Option<String>,
    /// The profile of AWS's configuration files to use.
    pub(super) profile: Option<String>,
    /// An AWS access key; better left to the environment, a profile or a role.
    pub(super) access_key: Option<String>,
    /// Its secret.
    pub(super) secret_key: Option<Sensitive<String>>,
    /// The session token of temporary keys.
    pub(super) token: Option<Sensitive<String>>,
    /// AWS's configuration files. Default: `AWS_CONFIG_FILE`, else `~/.aws/config`.
    pub(super) shared_config_files: Option<Vec<String>>,
    /// AWS's credentials files. Default: `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
    pub(super) shared_credentials_files: Option<Vec<String>>,
    /// A file of certificate authorities, in PEM form, that are trusted beside those of the machine.
    /// Default: `AWS_CA_BUNDLE`.
    #[object(validate = form::given())]
    pub(super) custom_ca_bundle: Option<String>,
    /// Take any certificate that a registry shows. Passwords then go to whoever answers in its name, so rather write
    /// `custom_ca_bundle`. AWS's APIs are checked all the same. Default: `false`.
    pub(super) insecure: Option<bool>,
    /// The proxy for URLs with `http`. Default: `HTTP_PROXY`.
    #[object(validate = proxy())]
    pub(super) http_proxy: Option<String>,
    /// The proxy for URLs with `https`. Default: `HTTPS_PROXY`.
    #[object(validate = proxy())]
    pub(super) https_proxy: Option<String>,
    /// What is reached without a proxy: names, addresses and networks, separated by commas. Default: `NO_PROXY`.
    pub(super) no_proxy: Option<String>,
    /// The only accounts whose credentials may be used.
    #[object(validate = account().each())]
    pub(super) allowed_account_ids: Option<BTreeSet<String>>,
    /// Accounts whose credentials may not be used.
    #[object(validate = account().each())]
    pub(super) forbidden_account_ids: Option<BTreeSet<String>>,
    /// Use the endpoints of AWS's APIs that are validated by FIPS 140. For a registry, write its FIPS host.
    pub(super) use_fips_endpoint: Option<bool>,
    /// Use the endpoints of AWS's APIs that answer on IPv6 too. For a registry, write its dual-stack host.
    pub(super) use_dualstack_endpoint: Option<bool>,
    /// Do not look for credentials in the metadata of an EC2 instance.
    pub(super) skip_metadata_api_check: Option<bool>,
    /// Never ask whose credentials these are. Repositories are then written with their registry.
    pub(super) skip_requesting_account_id: Option<bool>,
    /// Has no effect: credentials are not checked before they are used. Known so that a configuration can be shared
    /// with hashicorp/aws.
    pub(super) skip_credentials_validation: Option<bool>,
    /// How often a call to AWS is tried again. Default: `AWS_MAX_ATTEMPTS` less one, else 2.
    #[object(validate = Validator::range(0_i64..=100))]
    pub(super) max_retries: Option<u32>,
    /// How calls to AWS are tried again. Default: `AWS_RETRY_MODE`, else `standard`.
    #[object(validate = Validator::one_of(["standard", "adaptive"]))]
    pub(super) retry_mode: Option<String>,
    /// A role to take on; several are taken on one after the other, in the order they are written.
    #[object(block)]
    pub(super) assume_role: Vec<AssumeRole>,
    /// A role to take on with the token of an identity provider, as CI systems give one.
    #[object(block)]
    pub(super) assume_role_with_web_identity: Option<WebIdentity>,
    /// Where AWS's APIs are reached, if not at their usual place.
    #[object(block)]
    pub(super) endpoints: Vec<ServiceUrls>,
    /// The role to take on for the registries of an account: account to the ARN of a role.
    #[object(validate = account().each_key(), validate = role().each())]
    pub(super) account_roles: Option<BTreeMap<String, String>>,
    /// Where registries are reached, if not where their name says: host to `http(s)://host[:port][/prefix]`.
    /// Also taken from the variable `EKS_DEPLOY_REGISTRY_ENDPOINTS`, as `host=url,host=url`.
    pub(super) registry_endpoints: Option<BTreeMap<String, String>>,
    /// Users and passwords of registries, by host. ECR needs none, and what `docker login` stored is used without.
    #[object(validate = Validator::parses::<Host>("the host of a registry, such as \"ghcr.io\"").each_key())]
    pub(super) registry_auth: Option<BTreeMap<String, RegistryAuth>>,
    /// Labels of every image that is built; those of an image itself go before.
    #[object(validate = form::given().each_key())]
    pub(super) default_labels: Option<BTreeMap<String, String>>,
    /// The tag by which any machine finds an image again instead of building it.
    pub(super) source_tag: Option<SourceTagSettings>,
    /// How many large layers are sent at once; of small ones four times as many. Default: 8.
    #[object(validate = Validator::range(1_i64..=64))]
    pub(super) upload_concurrency: Option<u16>,
    /// What builds Dockerfiles. Images made of `files` need no builder, and a plan never does.
    pub(super) builder: Option<BuilderSettings>,
}

/// A role, and how it is taken on.
#[derive(Object)]
pub(super) struct AssumeRole {
    /// The role's ARN.
    #[object(validate = role())]
    pub(super) role_arn: String,
    /// The session's name in AWS's logs.
    #[object(validate = form::session())]
    pub(super) session_name: Option<String>,
    /// What the role's owner wants to hear.
    #[object(validate = form::external_id())]
    pub(super) external_id: Option<String>,
    /// How long the credentials are good for, such as `"1h"`.
    #[object(validate = form::session_time())]
    pub(super) duration: Option<GoDuration>,
    /// A policy, in JSON, that leaves less to the session than the role has.
    #[object(validate = form::policy())]
    pub(super) policy: Option<String>,
    /// The ARNs of policies that leave less to the session than the role has.
    #[object(validate = policy_arn().each())]
    pub(super) policy_arns: Option<BTreeSet<String>>,
    /// Who is behind the session.
    #[object(validate = form::session())]
    pub(super) source_identity: Option<String>,
    /// Tags of the session.
    pub(super) tags: Option<BTreeMap<String, String>>,
    /// Keys of tags that further roles get too.
    #[object(validate = form::given().each())]
    pub(super) transitive_tag_keys: Option<BTreeSet<String>>,
}

/// A role, and the token it is taken on with.
#[derive(Object)]
#[object(rule = Rule::exactly_one_of(["web_identity_token", "web_identity_token_file"]))]
#[expect(clippy::struct_field_names, reason = "as users of hashicorp/aws write them")]
pub(super) struct WebIdentity {
    /// The role's ARN.
    #[object(validate = role())]
    pub(super) role_arn: String,
    /// The session's name in AWS's logs.
    #[object(validate = form::session())]
    pub(super) session_name: Option<String>,
    /// How long the credentials are good for, such as `"1h"`.
    #[object(validate = form::session_time())]
    pub(super) duration: Option<GoDuration>,
    /// A policy, in JSON, that leaves less to the session than the role has.
    #[object(validate = form::policy())]
    pub(super) policy: Option<String>,
    /// The ARNs of policies that leave less to the session than the role has.
    #[object(validate = policy_arn().each())]
    pub(super) policy_arns: Option<BTreeSet<String>>,
    /// The token.
    pub(super) web_identity_token: Option<Sensitive<String>>,
    /// A file with the token, which is read anew each time credentials are needed.
    pub(super) web_identity_token_file: Option<String>,
}

/// URLs of AWS's APIs.
#[derive(Object)]
pub(super) struct ServiceUrls {
    /// That of ECR, such as that of a private link.
    #[object(validate = url())]
    pub(super) ecr: Option<String>,
    /// That of ECR Public.
    #[object(validate = url())]
    pub(super) ecr_public: Option<String>,
    /// That of STS, which gives the credentials of roles.
    #[object(validate = url())]
    pub(super) sts: Option<String>,
}

/// Who logs in to a registry.
#[derive(Object)]
pub(super) struct RegistryAuth {
    /// The user.
    #[object(validate = form::given())]
    pub(super) username: String,
    /// The password, or a token.
    pub(super) password: Sensitive<String>,
}

/// The tag by which an image is found again.
#[derive(Object)]
pub(super) struct SourceTagSettings {
    /// What the tag begins with. Default: `src-`.
    #[object(validate = Validator::text("the start of a tag, of at most 40 characters", starts_a_tag))]
    pub(super) prefix: Option<String>,
    /// Whether images are tagged so, and looked for. Default: `true`.
    pub(super) enabled: Option<bool>,
}

/// What builds Dockerfiles.
#[derive(Object)]
pub(super) struct BuilderSettings {
    /// Which kind: `auto` is the native one where it can, else the `endpoints`, else Docker. Default: `auto`.
    #[object(validate = Validator::one_of(["auto", "native", "docker", "buildkit"]))]
    pub(super) engine: Option<String>,
    /// How many builds run at once. Default: no limit.
    #[object(validate = Validator::range(1_i64..=1000))]
    pub(super) max_builds: Option<u16>,
    /// Builders by their addresses; builds are spread over them. Default: `DOCKER_HOST`, else the usual places of
    /// Docker's socket.
    pub(super) endpoints: Option<Vec<BuilderEndpoint>>,
}

/// Where a builder is.
#[derive(Object)]
pub(super) struct BuilderEndpoint {
    /// The socket of Docker's daemon or of buildkitd, `unix:///var/run/docker.sock`, or a buildkitd's `tcp://host:port`.
    #[object(validate = Validator::parses::<Address>("unix:///path or tcp://host:port"))]
    pub(super) address: String,
    /// What it builds for. Default: whatever it says itself.
    #[object(validate = Validator::parses::<Platform>("a platform, such as \"linux/arm64\"").each())]
    pub(super) platforms: Option<BTreeSet<String>>,
    /// Who may have signed the builder's certificate, in PEM form. Default: whom the machine trusts.
    #[object(validate = form::given())]
    pub(super) ca_file: Option<String>,
    /// Our certificate.
    #[object(validate = form::given())]
    pub(super) cert_file: Option<String>,
    /// Its key.
    #[object(validate = form::given())]
    pub(super) key_file: Option<String>,
    /// The name in the builder's certificate. Default: the host of the address.
    #[object(validate = form::given())]
    pub(super) server_name: Option<String>,
}

impl Written {
    /// What is known of a configuration, and whether that is all that decides how registries are reached.
    pub(super) fn known(config: &Value) -> Result<(Self, bool), Diagnostics> {
        const NO_WAY: [&str; 3] = ["default_labels", "source_tag", "builder"];
        let (mut known, mut reachable) = (config.clone(), true);
        for (name, value) in config.as_map().into_iter().flatten() {
            if !value.is_wholly_known() {
                let repeated = matches!(name.as_str(), "assume_role" | "endpoints");
                known.set(name.as_str(), if repeated { Value::list([]) } else { Value::Null });
                reachable &= NO_WAY.contains(&name.as_str());
            }
        }
        Ok((known.view().read::<Self>()?, reachable))
    }
}

fn account() -> Validator {
    let digits = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    Validator::text("an account's number of 12 digits", digits)
}

fn role() -> Validator {
    let is_role = |text: &str| text.starts_with("arn:") && text.contains(":role/");
    Validator::text("the ARN of a role, such as \"arn:aws:iam::123456789012:role/deploy\"", is_role)
}

fn policy_arn() -> Validator {
    let is_policy = |text: &str| text.starts_with("arn:") && text.contains(":policy/");
    Validator::text("the ARN of a policy, such as \"arn:aws:iam::aws:policy/ReadOnlyAccess\"", is_policy)
}

fn url() -> Validator {
    let is_url = |text: &str| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
    };
    Validator::text("a URL with http or https", is_url)
}

fn proxy() -> Validator {
    let is_proxy = |text: &str| ecr_registry::Proxies::new(text, "", "").is_ok();
    Validator::text("a proxy as [http://][user:password@]host[:port]", is_proxy)
}

fn starts_a_tag(text: &str) -> bool {
    text.len() <= 40 && text.parse::<Tag>().is_ok()
}

impl BuilderEndpoint {
    /// As the crate that builds has it; `None` only for what the schema refuses.
    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        let files = [&self.ca_file, &self.cert_file, &self.key_file, &self.server_name];
        let path = |text: &Option<String>| text.as_ref().map(Into::into);
        let tls = files.iter().any(|given| given.is_some()).then(|| ClientTls {
            ca_file: path(&self.ca_file),
            cert_file: path(&self.cert_file),
            key_file: path(&self.key_file),
            server_name: self.server_name.clone(),
        });
        let platforms = self.platforms.iter().flatten().filter_map(|text| text.parse().ok()).collect();
        Some(Endpoint { address: self.address.parse().ok()?, platforms, tls })
    }
}
