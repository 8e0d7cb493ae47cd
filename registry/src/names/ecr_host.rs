use std::fmt;

use super::{Host, NameError};

/// The part of AWS that a region belongs to. Credentials are valid in one partition only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// China.
    AwsCn,
    /// `GovCloud` (US).
    AwsUsGov,
    /// The European Sovereign Cloud.
    AwsEusc,
    /// ISO (US).
    AwsIso,
    /// ISOB (US).
    AwsIsoB,
    /// ISOE (Europe).
    AwsIsoE,
    /// ISOF.
    AwsIsoF,
}

impl Partition {
    /// The partition's name as it stands in ARNs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsEusc => "aws-eusc",
            Self::AwsIso => "aws-iso",
            Self::AwsIsoB => "aws-iso-b",
            Self::AwsIsoE => "aws-iso-e",
            Self::AwsIsoF => "aws-iso-f",
        }
    }

    /// The partition of a region, by the region's name.
    pub fn of_region(region: &str) -> Self {
        const PREFIXES: [(&str, Partition); 7] = [
            ("cn-", Partition::AwsCn),
            ("us-gov-", Partition::AwsUsGov),
            ("eusc-", Partition::AwsEusc),
            ("us-iso-", Partition::AwsIso),
            ("us-isob-", Partition::AwsIsoB),
            ("eu-isoe-", Partition::AwsIsoE),
            ("us-isof-", Partition::AwsIsoF),
        ];
        PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or(Self::Aws, |(_, found)| *found)
    }

    /// The domain that AWS's hosts end in: `amazonaws.com`.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
            Self::AwsEusc => "amazonaws.eu",
            Self::AwsIso => "c2s.ic.gov",
            Self::AwsIsoB => "sc2s.sgov.gov",
            Self::AwsIsoE => "cloud.adc-e.uk",
            Self::AwsIsoF => "csp.hci.ic.gov",
        }
    }

    /// The ending of dual-stack registry hosts, in the partitions that have them.
    fn dual_stack_suffix(self) -> Option<&'static str> {
        match self {
            Self::Aws | Self::AwsUsGov => Some("on.aws"),
            Self::AwsCn => Some("on.amazonwebservices.com.cn"),
            Self::AwsEusc | Self::AwsIso | Self::AwsIsoB | Self::AwsIsoE | Self::AwsIsoF => None,
        }
    }
}

/// What the host of a private ECR registry says.
///
/// Shape: `ACCOUNT.dkr.ecr[-fips].REGION.SUFFIX`, dual-stack `ACCOUNT.dkr-ecr[-fips].REGION.on.aws`.
///
/// Source: amazon-ecr-credential-helper, `ecr-login/api/client.go`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EcrHost {
    /// The account that owns the registry, 12 digits; the API calls it the registry id.
    pub account: String,
    /// The region of the registry.
    pub region: String,
    /// The partition of the region.
    pub partition: Partition,
    /// Whether this is the FIPS 140 endpoint.
    pub fips: bool,
    /// Whether this is the endpoint that answers on IPv6 too.
    pub dual_stack: bool,
}

impl EcrHost {
    /// The plain registry host of an account in a region, such as
    /// `123456789012.dkr.ecr.eu-central-1.amazonaws.com`.
    pub fn host(account: &str, region: &str) -> Result<Host, NameError> {
        format!("{account}.dkr.ecr.{region}.{}", Partition::of_region(region).suffix()).parse()
    }

    pub(super) fn parse(host: &str) -> Option<Self> {
        let (account, rest) = host.split_once('.')?;
        let (service, rest, dual_stack) = if let Some(rest) = rest.strip_prefix("dkr.") {
            let (service, rest) = rest.split_once('.')?;
            (service, rest, false)
        } else {
            let (service, rest) = rest.strip_prefix("dkr-")?.split_once('.')?;
            (service, rest, true)
        };
        let fips = match service {
            "ecr" => false,
            "ecr-fips" => true,
            _ => return None,
        };
        let (region, suffix) = rest.split_once('.')?;
        let partition = Partition::of_region(region);
        let expected = if dual_stack { partition.dual_stack_suffix()? } else { partition.suffix() };
        (is_account(account) && !region.is_empty() && suffix == expected).then(|| Self {
            account: account.to_owned(),
            region: region.to_owned(),
            partition,
            fips,
            dual_stack,
        })
    }

    /// Whether someone meant a private ECR registry when writing this host.
    pub(super) fn is_meant_by(host: &str) -> bool {
        [".dkr.ecr.", ".dkr.ecr-fips.", ".dkr-ecr.", ".dkr-ecr-fips."].iter().any(|mark| host.contains(mark))
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

impl fmt::Display for EcrHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ECR in account {}, region {}", self.account, self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, expected: Option<(&str, Partition, bool, bool)>) {
        let got = EcrHost::parse(host);
        let got = got.as_ref().map(|ecr| (ecr.region.as_str(), ecr.partition, ecr.fips, ecr.dual_stack));
        assert_eq!(got, expected, "{host}");
    }

    #[test]
    fn every_partition() {
        use Partition::{Aws, AwsCn, AwsEusc, AwsIso, AwsIsoB, AwsIsoE, AwsIsoF, AwsUsGov};
        let plain = |host: &str, region: &str, partition| {
            check(host, Some((region, partition, false, false)));
            assert_eq!(EcrHost::host("123456789012", region).unwrap().to_string(), host);
        };
        plain("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "eu-central-1", Aws);
        plain("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", AwsCn);
        plain("123456789012.dkr.ecr.us-gov-west-1.amazonaws.com", "us-gov-west-1", AwsUsGov);
        plain("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", AwsEusc);
        plain("123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", AwsIso);
        plain("123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", AwsIsoB);
        plain("123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1", AwsIsoE);
        plain("123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1", AwsIsoF);
    }

    #[test]
    fn fips_and_dual_stack() {
        use Partition::{Aws, AwsCn, AwsUsGov};
        check("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", Some(("us-east-1", Aws, true, false)));
        check("123456789012.dkr-ecr.us-east-1.on.aws", Some(("us-east-1", Aws, false, true)));
        check(
            "123456789012.dkr-ecr-fips.us-gov-east-1.on.aws",
            Some(("us-gov-east-1", AwsUsGov, true, true)),
        );
        check(
            "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
            Some(("cn-north-1", AwsCn, false, true)),
        );
    }

    #[test]
    fn others() {
        check("12345678901.dkr.ecr.us-east-1.amazonaws.com", None);
        check("12345678901x.dkr.ecr.us-east-1.amazonaws.com", None);
        check("123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example", None);
        check("123456789012.dkr.ecr.us-east-1.amazonaws.com.cn", None);
        check("123456789012.dkr.ecr.cn-north-1.amazonaws.com", None);
        check("123456789012.dkr.ecr.us-east-1.on.aws", None);
        check("123456789012.dkr-ecr.us-east-1.amazonaws.com", None);
        check("123456789012.dkr.ecr..amazonaws.com", None);
        check("x.123456789012.dkr.ecr.us-east-1.amazonaws.com", None);
        check("public.ecr.aws", None);
        check("docker.io", None);
    }
}
