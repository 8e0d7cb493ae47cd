use url::Url;

use super::zone::{OUT_OF_REACH, Zone};
use crate::{error::ErrorKind, names::Host};

/// An address, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) way: Way,
}

/// Why we go to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// It is the registry's own, which alone gets the registry's credentials.
    Registry,
    /// A registry, which can reach this zone, sends us there. So far the name says nothing against it; what it is found
    /// to mean has to be in that zone, too.
    Sent(Zone),
    /// A registry sends us there, and the settings allow it wherever it is.
    Trusted,
}

impl Target {
    /// Host and port, for messages.
    pub(crate) fn host(&self) -> String {
        super::http::host_of(&self.url)
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.way == Way::Registry
    }
}

/// Who sends us elsewhere, by a location, a link or a token server.
#[derive(Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub(crate) host: &'a Host,
    /// Where the registry is reached.
    pub(crate) base: &'a Url,
    /// What was asked.
    pub(crate) asked: &'a Url,
    /// Where in the world the answer came from.
    pub(crate) zone: Zone,
    /// Hosts to which anyone may send us.
    pub(crate) trusted: &'a [Host],
}

impl Sender<'_> {
    /// Where this leads.
    ///
    /// A location that names the registry itself means the place where it is reached. Anywhere else has to be no less
    /// safe: TLS if the registry has TLS, and no address further inside than the sender's own.
    pub(crate) fn locate(&self, location: &str) -> Result<Target, ErrorKind> {
        let error = |problem: &str| {
            ErrorKind::Protocol(format!("{problem} in location `{}`", without_query(location)))
        };
        let base = self.base;
        let mut url = self.asked.join(location).map_err(|_| error("no URL"))?;
        let own = Url::parse(&format!("https://{}/", self.host));
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
            return Ok(Target { url, way: Way::Registry });
        }
        match url.scheme() {
            "https" => {}
            "http" if base.scheme() == "http" => {}
            _ => return Err(error("neither TLS nor a web address")),
        }
        let way = self.way(&url).ok_or_else(|| error(OUT_OF_REACH))?;
        Ok(Target { url, way })
    }

    fn way(&self, url: &Url) -> Option<Way> {
        let host = url.host_str().and_then(|_| super::http::host_of(url).parse().ok());
        if host.is_some_and(|host: Host| self.trusted.contains(&host)) {
            return Some(Way::Trusted);
        }
        let reach = if self.names_aws(url) { self.zone.max(Zone::Private) } else { self.zone };
        let allowed = Zone::said_by(url).is_none_or(|zone| reach.reaches(zone));
        allowed.then_some(Way::Sent(reach))
    }

    /// Whether ECR names another host of AWS, which may have an interface endpoint in a private network: layers are in
    /// S3.
    fn names_aws(&self, url: &Url) -> bool {
        let suffix = self.host.ecr().map(|ecr| ecr.partition.suffix());
        let name = url.domain().zip(suffix).and_then(|(name, suffix)| name.strip_suffix(suffix));
        name.is_some_and(|name| name.ends_with('.'))
    }
}

/// Signatures are in queries.
fn without_query(location: &str) -> &str {
    location.split('?').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECR: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

    fn located(base: &str, zone: Zone, location: &str) -> Result<Target, ErrorKind> {
        let base = Url::parse(base).unwrap();
        let asked = base.join("v2/a/blobs/uploads/").unwrap();
        let trusted = ["store.corp:9000".parse().unwrap()];
        let host = ECR.parse().unwrap();
        Sender { host: &host, base: &base, asked: &asked, zone, trusted: &trusted }.locate(location)
    }

    fn check(base: &str, location: &str, expected: Result<(&str, bool), &str>) {
        let zone = Zone::said_by(&Url::parse(base).unwrap()).unwrap_or(Zone::Public);
        match (located(base, zone, location), expected) {
            (Ok(target), Ok(expected)) => assert_eq!((target.url.as_str(), target.is_ours()), expected),
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
        check("http://127.0.0.1:4566/", "http://127.0.0.1:9000/b", Ok(("http://127.0.0.1:9000/b", false)));
        check(&plain, "https://", Err("no URL in location `https://`"));
    }

    #[test]
    fn nothing_leads_further_inside() {
        use Zone::{Machine, Private, Public};
        let allowed =
            |zone, location: &str| located("https://registry.example/", zone, location).ok().map(|it| it.way);
        for (location, zones) in [
            ("https://169.254.169.254/latest/meta-data", vec![]),
            ("https://[fd00:ec2::254]/", vec![]),
            ("https://[::ffff:169.254.170.2]/", vec![]),
            ("https://2852039166/", vec![]), // the same as 169.254.169.254
            ("https://127.0.0.1/", vec![Machine]),
            ("https://0x7f.1/", vec![Machine]),
            ("https://[::1]/", vec![Machine]),
            ("https://0.0.0.0/", vec![Machine]),
            ("https://localhost./", vec![Machine]),
            ("https://10.1.2.3/", vec![Private, Machine]),
            ("https://192.168.0.1/", vec![Private, Machine]),
            ("https://[fd00::1]/", vec![Private, Machine]),
            ("https://store.example/", vec![Public, Private, Machine]),
            ("https://52.95.1.1/", vec![Public, Private, Machine]),
        ] {
            let reached =
                [Public, Private, Machine].into_iter().filter(|zone| allowed(*zone, location).is_some());
            assert_eq!(reached.collect::<Vec<_>>(), zones, "{location}");
        }
        let error = located("https://registry.example/", Public, "https://10.1.2.3/x?y=z").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the answer is not a registry's: an address of a private network in location `https://10.1.2.3/x`"
        );
        // What a name means is found out later, within what is allowed here.
        assert_eq!(allowed(Public, "https://store.example/"), Some(Way::Sent(Public)));
        assert_eq!(allowed(Public, "https://bucket.s3.amazonaws.com/"), Some(Way::Sent(Private)));
        assert_eq!(allowed(Public, "https://evilamazonaws.com/"), Some(Way::Sent(Public)));
        assert_eq!(allowed(Public, "https://store.corp:9000/x"), Some(Way::Trusted));
        assert_eq!(allowed(Public, "https://store.corp/x"), Some(Way::Sent(Public)));
    }
}
