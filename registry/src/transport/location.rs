use std::net::IpAddr;

use url::{Host as UrlHost, Url};

use crate::{error::ErrorKind, names::Host};

/// An address, and whether it is the registry's own, which alone gets credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) ours: bool,
}

impl Target {
    /// Host and port, for messages.
    pub(crate) fn host(&self) -> String {
        super::http::host_of(&self.url)
    }
}

/// Where a registry sends us by a `Location`: to upload a blob, or to fetch one.
///
/// `base` is where registry `host` is reached. A location that names the registry itself means that place too.
/// Anywhere else has to be no less safe: TLS if the registry has TLS, and no address of a private network.
pub(crate) fn locate(base: &Url, host: &Host, from: &Url, location: &str) -> Result<Target, ErrorKind> {
    let error =
        |problem: &str| ErrorKind::Protocol(format!("{problem} in location `{}`", without_query(location)));
    let mut url = from.join(location).map_err(|_| error("no URL"))?;
    let own = Url::parse(&format!("https://{host}/"));
    let names_registry = own.is_ok_and(|own| own.host() == url.host() && own.port() == url.port());
    if names_registry && url.origin() != base.origin() {
        let path = url.path().trim_start_matches('/').to_owned();
        let query = url.query().map(str::to_owned);
        url = base.clone();
        url.set_path(&format!("{}{path}", base.path()));
        url.set_query(query.as_deref());
    }
    if url.origin() == base.origin() {
        if !url.path().starts_with(base.path()) {
            url.set_path(&format!("{}{}", base.path(), url.path().trim_start_matches('/')));
        }
        return Ok(Target { url, ours: true });
    }
    match url.scheme() {
        "https" => {}
        "http" if base.scheme() == "http" => {}
        _ => return Err(error("neither TLS nor a web address")),
    }
    if is_private(&url) && !is_private(base) {
        return Err(error("address of a private network"));
    }
    Ok(Target { url, ours: false })
}

/// Signatures are in queries.
fn without_query(location: &str) -> &str {
    location.split('?').next().unwrap_or_default()
}

fn is_private(url: &Url) -> bool {
    let address = match url.host() {
        Some(UrlHost::Ipv4(address)) => IpAddr::V4(address),
        Some(UrlHost::Ipv6(address)) => IpAddr::V6(address),
        Some(UrlHost::Domain(name)) => return name == "localhost" || name.ends_with(".localhost"),
        None => return true,
    };
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => {
            v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECR: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

    fn check(base: &str, location: &str, expected: Result<(&str, bool), &str>) {
        let base = Url::parse(base).unwrap();
        let from = base.join("v2/a/blobs/uploads/").unwrap();
        let got = locate(&base, &ECR.parse().unwrap(), &from, location);
        match (got, expected) {
            (Ok(target), Ok(expected)) => assert_eq!((target.url.as_str(), target.ours), expected),
            (Err(error), Err(message)) => {
                assert_eq!(error.to_string(), format!("the answer is not a registry's: {message}"));
            }
            (got, expected) => panic!("{location}: {got:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn the_registry_itself() {
        let plain = format!("https://{ECR}/");
        let url = format!("{plain}v2/a/blobs/uploads/7?_state=x%3D");
        check(&plain, &url, Ok((&url, true)));
        check(&plain, "/v2/a/blobs/uploads/7?_state=x%3D", Ok((&url, true)));
        check(&plain, "7?_state=x%3D", Ok((&url, true)));
    }

    #[test]
    fn a_mapped_registry() {
        let base = "http://127.0.0.1:4566/";
        let here = Ok(("http://127.0.0.1:4566/v2/a/blobs/uploads/7?x=y", true));
        check(base, &format!("https://{ECR}/v2/a/blobs/uploads/7?x=y"), here);
        check(base, &format!("http://{ECR}/v2/a/blobs/uploads/7?x=y"), here);
        check(base, "/v2/a/blobs/uploads/7?x=y", here);
        let prefixed = "https://proxy/ecr/";
        let there = Ok(("https://proxy/ecr/v2/a/blobs/uploads/7", true));
        check(prefixed, &format!("https://{ECR}/v2/a/blobs/uploads/7"), there);
        check(prefixed, "/v2/a/blobs/uploads/7", there);
        check(prefixed, "/ecr/v2/a/blobs/uploads/7", there);
    }

    #[test]
    fn elsewhere() {
        let plain = format!("https://{ECR}/");
        let store = "https://bucket.s3.amazonaws.com/x?X-Amz-Signature=y";
        check(&plain, store, Ok((store, false)));
        check(
            &plain,
            "http://bucket.s3.amazonaws.com/x?s=y",
            Err("neither TLS nor a web address in location `http://bucket.s3.amazonaws.com/x`"),
        );
        check(
            &plain,
            "file:///etc/passwd",
            Err("neither TLS nor a web address in location `file:///etc/passwd`"),
        );
        for private in [
            "169.254.169.254",
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "[::1]",
            "[fd00::1]",
            "localhost",
            "0.0.0.0",
        ] {
            let message = format!("address of a private network in location `https://{private}/`");
            check(&plain, &format!("https://{private}/"), Err(&message));
        }
        check("http://127.0.0.1:4566/", "http://127.0.0.1:9000/b", Ok(("http://127.0.0.1:9000/b", false)));
        check(&plain, "https://", Err("no URL in location `https://`"));
    }
}
