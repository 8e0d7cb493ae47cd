//! Which cluster is meant, and who acts there: flag over environment over file.

use super::{SettingsError, file::ClusterEntry};
use crate::{
    cli::PlaceArguments,
    eks::{cluster::ClusterName, endpoint::Endpoint, identity::Identity},
    images::terraform::OutputSource,
};

/// A cluster as it was named, and what was said of the way there.
#[derive(Debug)]
pub(crate) struct Place {
    /// Which cluster.
    pub(crate) cluster: ClusterChoice,
    /// The region that was named for it; the cluster's ARN goes before.
    pub(crate) region: Option<String>,
    /// Where the file says that its API server is reached.
    pub(crate) endpoint: Option<Endpoint>,
    /// The account that the cluster has to be in.
    pub(crate) expect_account: Option<String>,
    /// Who acts.
    pub(crate) identity: Identity,
    /// Where Terraform's outputs are.
    pub(crate) outputs: Option<OutputSource>,
}

/// How the cluster was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClusterChoice {
    /// By its name or ARN.
    Named(ClusterName),
    /// By a Terraform output.
    Output(String),
}

impl Place {
    /// Puts together what was typed, what the file says, and the region of the environment.
    pub(crate) fn resolve(
        arguments: PlaceArguments,
        entry: ClusterEntry,
        outputs: Option<OutputSource>,
        aws_region: Option<String>,
    ) -> Result<Self, SettingsError> {
        let expect_account = given(arguments.expect_account).or_else(|| entry.expect.account.clone());
        let Chosen { cluster, region, endpoint } =
            choose(given(arguments.cluster), given(arguments.region), entry, aws_region)?;
        let file = arguments.tf_output_file.map(OutputSource::File);
        let outputs = file.or(arguments.tf_dir.map(OutputSource::Folder)).or(outputs);
        Ok(Self { cluster, region, endpoint, expect_account, identity: arguments.aws.into(), outputs })
    }
}

struct Chosen {
    cluster: ClusterChoice,
    region: Option<String>,
    endpoint: Option<Endpoint>,
}

/// The cluster, the region to look for it in, and where it is reached. What the file says of its cluster holds for no
/// other one; what names the cluster names its region before anything general
/// does.
fn choose(
    named: Option<String>,
    region: Option<String>,
    entry: ClusterEntry,
    aws_region: Option<String>,
) -> Result<Chosen, SettingsError> {
    let (cluster, entry) = match (named, &entry) {
        (Some(name), _) => (ClusterChoice::Named(name.parse()?), ClusterEntry::default()),
        (None, ClusterEntry { terraform: Some(output), .. }) => {
            (ClusterChoice::Output(output.clone()), entry)
        }
        (None, ClusterEntry { name: Some(name), .. }) => (ClusterChoice::Named(name.parse()?), entry),
        (None, _) => return Err(SettingsError::NO_CLUSTER),
    };
    let arn_region = match &cluster {
        ClusterChoice::Named(ClusterName { name, region: Some(arn), .. }) => match &region {
            Some(flag) if flag != arn => {
                return Err(SettingsError::Regions {
                    cluster: name.clone(),
                    arn: arn.clone(),
                    flag: flag.clone(),
                });
            }
            _ => Some(arn.clone()),
        },
        _ => None,
    };
    let region = arn_region.or(region).or(entry.region).or(aws_region);
    Ok(Chosen { cluster, region, endpoint: entry.endpoint })
}

/// A flag that a script may give as nothing: `--region "$REGION"`.
fn given(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Verb};

    fn place(line: &str, entry: ClusterEntry, aws_region: Option<&str>) -> Result<Place, String> {
        let words = ["eks-deploy", "up"].into_iter().chain(line.split_whitespace());
        let Verb::Up(arguments) = Cli::try_parse_from(words).unwrap().verb else { panic!("`up` is typed") };
        let place = Place::resolve(arguments.release.place, entry, None, aws_region.map(str::to_owned));
        place.map_err(|error| error.to_string())
    }

    #[test]
    fn the_region_is_the_clusters() {
        let file = || ClusterEntry {
            name: Some("a".to_owned()),
            region: Some("eu-west-1".to_owned()),
            ..ClusterEntry::default()
        };
        let check = |line: &str,
                     entry: ClusterEntry,
                     aws_region: Option<&str>,
                     expected: Result<Option<&str>, &str>| {
            let got = place(line, entry, aws_region).map(|place| place.region);
            assert_eq!(
                got,
                expected.map(|region| region.map(str::to_owned)).map_err(str::to_owned),
                "{line}"
            );
        };
        let (none, us) = (ClusterEntry::default, Some("us-east-1"));
        let arn = "--cluster arn:aws:eks:eu-west-1:123456789012:cluster/a";
        check("--cluster a --region eu-west-1", none(), us, Ok(Some("eu-west-1")));
        check("--cluster a", none(), us, Ok(us));
        check("--cluster a", none(), None, Ok(None));
        check(arn, none(), us, Ok(Some("eu-west-1")));
        let both = "cluster `a` is in region eu-west-1, and --region says us-east-1";
        check(&format!("{arn} --region us-east-1"), none(), None, Err(both));
        check("", file(), us, Ok(Some("eu-west-1")));
        // The file's region belongs to the file's cluster.
        check("--cluster b", file(), us, Ok(us));
    }

    #[test]
    fn the_endpoint_is_the_clusters_too() {
        let endpoint: Option<Endpoint> = "https://a.example".parse().ok();
        let entry = || ClusterEntry {
            terraform: Some("a".to_owned()),
            endpoint: endpoint.clone(),
            ..ClusterEntry::default()
        };
        assert_eq!(place("", entry(), None).unwrap().endpoint, endpoint);
        assert_eq!(place("--cluster b", entry(), None).unwrap().endpoint, None);
    }
}
