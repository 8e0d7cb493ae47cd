//! `eks-deploy doctor`: whether what a deployment needs is there, one line each, with what to do about what is not.

use std::{
    env,
    io::{self, Write as _},
    time::{Duration, SystemTime},
};

use aws_config::SdkConfig;
use aws_smithy_types::date_time::{DateTime, Format};
use ecr_registry::{Endpoints, Outcome, Reference};
use serde_json::{Value, json};

use super::way::{self, Way};
use crate::{
    cli::{DoctorArguments, Output},
    eks::{access, identity, token},
    exit::Exit,
    failure::{Explain, Failure},
    helm::{child::Input, session::Helm},
    images::resolve,
    run_folder::RunFolder,
    settings::{self, Surroundings, file, place::Place},
};

/// More than this, and signatures are refused: AWS allows five minutes.
const SKEW: Duration = Duration::from_mins(4);
const ANSWER: Duration = Duration::from_secs(10);

/// What a deployment needs, and what was found of it.
struct Check {
    what: &'static str,
    found: Result<String, Failure>,
}

/// Something is not as it should be that has no error of its own.
#[derive(Debug, thiserror::Error)]
enum DoctorError {
    /// Nobody takes the answer, or the system does not do what every program needs.
    #[error("cannot look")]
    System(#[from] io::Error),
    /// The clock.
    #[error("the clock of this machine is {0} seconds away from AWS's")]
    Clock(u64),
    /// No time was told.
    #[error("{0} does not tell the time: {1}")]
    NoTime(String, String),
}

impl Explain for DoctorError {
    fn exit(&self) -> Exit {
        match self {
            Self::System(_) => Exit::Failure,
            Self::Clock(_) | Self::NoTime(..) => Exit::Access,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::System(_) => None,
            Self::Clock(_) => {
                Some("set it by NTP: AWS refuses signatures that are five minutes off".to_owned())
            }
            Self::NoTime(..) => {
                Some("check the network, a proxy, the region and AWS_ENDPOINT_URL".to_owned())
            }
        }
    }
}

/// Looks at everything that can be looked at; what rests on something that is not there is left out.
pub(crate) async fn run(arguments: DoctorArguments) -> Result<Exit, Failure> {
    let DoctorArguments { place, namespace, output } = arguments;
    let around = Surroundings::read();
    let file = file::read(place.config.as_deref())?;
    let variable = around.registry_endpoints.as_deref();
    let endpoints = settings::endpoints(&file.registry_endpoints, variable)?;
    let place = Place::resolve(place, file.cluster, file.outputs, around.aws_region)?;
    let checks = Box::pin(examine(&place, &namespace, endpoints)).await?;
    let text = match output {
        Output::Text => checks.iter().map(Check::text).collect(),
        Output::Json => format!("{:#}\n", Value::Array(checks.iter().map(Check::json).collect())),
    };
    io::stdout().write_all(text.as_bytes()).map_err(DoctorError::System)?;
    let first = checks.iter().find_map(|check| check.found.as_ref().err());
    Ok(first.map_or(Exit::Done, Failure::exit))
}

async fn examine(place: &Place, namespace: &str, endpoints: Endpoints) -> Result<Vec<Check>, Failure> {
    let own = env::current_exe().map_err(DoctorError::System)?;
    let folder = RunFolder::create()?;
    let helm = Helm::find(&own, &folder);
    let found = match &helm {
        Ok(helm) => version(helm).await,
        Err(_) => Helm::find(&own, &folder).map(|_| String::new()).map_err(Failure::from),
    };
    let mut checks = vec![Check { what: "helm", found }];
    let way = match way::outputs(place, None).await {
        Ok(outputs) => Way::find(place, outputs.as_ref()).await,
        Err(error) => Err(error.into()),
    };
    let way = match way {
        Ok(way) => way,
        Err(failure) => {
            checks.push(Check { what: "cluster", found: Err(failure) });
            return Ok(checks);
        }
    };
    let cluster = &way.cluster;
    let found = format!("{} at {}", cluster.arn.as_deref().unwrap_or(&cluster.name), cluster.endpoint);
    checks.push(Check { what: "cluster", found: Ok(found) });
    let caller = identity::caller(&way.aws).await;
    let account = caller.as_ref().ok().and_then(|arn| arn.split(':').nth(4)).map(str::to_owned);
    checks.push(Check { what: "identity", found: caller.map_err(Failure::from) });
    checks.push(Check { what: "clock", found: clock(&way.aws).await });
    if let Ok(helm) = &helm {
        let (_kubeconfig, _tokens) = way.open(&folder, &own, Some(namespace))?;
        checks.push(Check { what: "access", found: releases(helm, &way, namespace).await });
    }
    if let Some(account) = account {
        let host = format!("{account}.dkr.ecr.{}.{}", cluster.region, cluster.partition().suffix());
        checks.push(Check { what: "images", found: images(&way.aws, &host, endpoints).await });
    }
    Ok(checks)
}

async fn version(helm: &Helm<'_>) -> Result<String, Failure> {
    Ok(format!("{} ({})", helm.version().await?, helm.program().display()))
}

/// Helm itself looks into the namespace, as it does before everything else.
async fn releases(helm: &Helm<'_>, way: &Way, namespace: &str) -> Result<String, Failure> {
    match helm.read(&["list", "--namespace", namespace, "--short"], Input::Nothing).await {
        Ok(printed) => {
            let count = String::from_utf8_lossy(&printed.stdout).lines().count();
            Ok(format!("helm may look into namespace {namespace}; releases there: {count}"))
        }
        Err(error) => Err(access::explain(error, &way.aws, &way.cluster, namespace).await),
    }
}

/// Whether ECR answers this identity: any answer about a repository that nobody has will do.
async fn images(aws: &SdkConfig, host: &str, endpoints: Endpoints) -> Result<String, Failure> {
    let registry = resolve::registry(aws.clone(), endpoints)?;
    let Ok(probe) = format!("{host}/eks-deploy-doctor:none").parse::<Reference>() else {
        return Ok(format!("{host} is no registry that can be asked"));
    };
    match registry.resolve(&[probe]).await.pop() {
        Some(Err(error)) if error.outcome() == Outcome::NotAllowed => {
            Ok(format!("{host} answers; repositories need ecr:BatchGetImage each"))
        }
        Some(Err(error)) if !matches!(error.outcome(), Outcome::ImageGone | Outcome::TagGone) => {
            Err(resolve::ResolveError::from(error).into())
        }
        _ => Ok(format!("{host} answers")),
    }
}

async fn clock(aws: &SdkConfig) -> Result<String, Failure> {
    let region = aws.region().map_or("us-east-1", |region| region.as_ref());
    let host = token::sts_host_of_environment(region);
    let url = aws.endpoint_url().map_or_else(|| format!("https://{host}"), str::to_owned);
    let told = told(&url).await.map_err(|reason| DoctorError::NoTime(url, reason))?;
    let now = SystemTime::now();
    let skew = now.duration_since(told).or_else(|_| told.duration_since(now)).unwrap_or_default();
    if skew > SKEW {
        Err(DoctorError::Clock(skew.as_secs()).into())
    } else {
        Ok(format!("within {} s of AWS's", skew.as_secs() + 1))
    }
}

/// The time of whoever answers there.
async fn told(url: &str) -> Result<SystemTime, String> {
    let client = reqwest::Client::builder().timeout(ANSWER).build().map_err(|error| error.to_string())?;
    let answer = client.head(url).send().await.map_err(|error| error.without_url().to_string())?;
    let date = answer.headers().get(reqwest::header::DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
    date.and_then(|date| SystemTime::try_from(date).ok()).ok_or_else(|| "no date in its answer".to_owned())
}

impl Check {
    fn text(&self) -> String {
        let Self { what, found } = self;
        match found {
            Ok(said) => format!("ok    {what:9} {said}\n"),
            Err(failure) => {
                let said = failure.chain().join(": ");
                let hint = failure
                    .hint()
                    .map(|hint| format!("\n                {}", hint.replace('\n', "\n                ")));
                format!("no    {what:9} {said}{}\n", hint.unwrap_or_default())
            }
        }
    }

    fn json(&self) -> Value {
        let Self { what, found } = self;
        match found {
            Ok(said) => json!({"check": what, "ok": true, "said": said}),
            Err(failure) => {
                json!({"check": what, "ok": false, "said": failure.chain().join(": "), "hint": failure.hint()})
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_each_with_what_to_do() {
        let check = |found, text: &str, json: Value| {
            let check = Check { what: "clock", found };
            assert_eq!((check.text(), check.json()), (text.to_owned(), json));
        };
        check(
            Ok("fine".to_owned()),
            "ok    clock     fine\n",
            json!({"check": "clock", "ok": true, "said": "fine"}),
        );
        let said = "the clock of this machine is 500 seconds away from AWS's";
        let hint = "set it by NTP: AWS refuses signatures that are five minutes off";
        check(
            Err(DoctorError::Clock(500).into()),
            &format!("no    clock     {said}\n                {hint}\n"),
            json!({"check": "clock", "ok": false, "said": said, "hint": hint}),
        );
    }
}
