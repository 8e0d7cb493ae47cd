use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::error::ErrorKind;

/// Which part of the world an address is in, each less open than the one before.
///
/// A registry may send us elsewhere: to upload, to fetch, to get a token. It may not use us to reach what it cannot
/// reach itself, so nothing leads into a zone further on than the registry's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Zone {
    /// The internet.
    Public,
    /// Networks of one's own.
    Private,
    /// This very machine.
    Machine,
    /// Where clouds hand out credentials, and addresses that are nobody's or everybody's: nothing leads here.
    Closed,
}

impl Zone {
    /// Source: IANA's special-purpose address registries; the metadata services of AWS (IPv4 and IPv6, containers, pods),
    /// Azure, Google, Oracle and Alibaba.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [0 | 127, ..] => Self::Machine,
            [169, 254, ..]
            | [168, 63, 129, 16]
            | [100, 100, 100, 200]
            | [192, 0, 0, 192]
            | [224..=255, ..] => Self::Closed,
            [10, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [100, 64..=127, ..]
            | [192, 0, 0, _]
            | [198, 18..=19, ..] => Self::Private,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let v4 = |high: u16, low: u16| Self::of_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
        match address.segments() {
            // IPv4 in other clothes: compatible, mapped, translated, 6to4.
            [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
            | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
            | [0x2002, high, low, ..] => v4(high, low),
            [0xfe80..=0xfebf | 0xff00..=0xffff, ..] | [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..] => {
                Self::Closed
            }
            [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => Self::Private,
            _ => Self::Public,
        }
    }

    /// The zone of a URL that says so by itself; a name has to be looked up.
    pub(crate) fn said_by(url: &Url) -> Option<Self> {
        match url.host()? {
            Host::Ipv4(address) => Some(Self::of_v4(address)),
            Host::Ipv6(address) => Some(Self::of_v6(address)),
            Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                (name == "localhost" || name.ends_with(".localhost")).then_some(Self::Machine)
            }
        }
    }

    /// Whether someone who is here may be sent there.
    pub(crate) fn reaches(self, there: Self) -> bool {
        match (self, there) {
            (_, Self::Closed) => false,
            (Self::Closed, there) => there <= Self::Private,
            (here, there) => there <= here,
        }
    }
}

/// Looks up names, and finds only addresses in the reach of whoever sent us to the name. What is connected to is what
/// was found here, so no second look-up can lead elsewhere.
pub(super) struct Guard<R = System> {
    reach: Zone,
    system: R,
}

/// The names that the system knows.
#[derive(Clone, Copy)]
pub(super) struct System;

impl Guard {
    pub(super) fn new(reach: Zone) -> Self {
        Self { reach, system: System }
    }
}

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

impl<R: Resolve> Resolve for Guard<R> {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, host) = (self.reach, name.as_str().to_owned());
        let found = self.system.resolve(name);
        Box::pin(async move {
            let in_reach: Vec<SocketAddr> = within(reach, &host, found.await?)?;
            Ok(Box::new(in_reach.into_iter()) as Addrs)
        })
    }
}

fn within(
    reach: Zone,
    host: &str,
    found: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, ErrorKind> {
    let (near, far): (Vec<_>, Vec<_>) = found.partition(|found| reach.reaches(Zone::of(found.ip())));
    match far.first() {
        Some(address) if near.is_empty() => Err(ErrorKind::Protocol(format!(
            "it leads to `{host}`, which is {}, {}",
            address.ip(),
            OUT_OF_REACH
        ))),
        _ => Ok(near),
    }
}

/// Why nobody goes there.
pub(super) const OUT_OF_REACH: &str = "an address of a private network";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones() {
        let check = |zone: Zone, addresses: &[&str]| {
            for address in addresses {
                assert_eq!(Zone::of(address.parse().unwrap()), zone, "{address}");
            }
        };
        check(
            Zone::Public,
            &["1.1.1.1", "52.95.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "168.63.129.17"],
        );
        check(Zone::Public, &["2600:1f18::1", "2002:101:101::1", "64:ff9b::101:101", "::ffff:1.1.1.1"]);
        check(
            Zone::Private,
            &["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "198.18.0.1"],
        );
        check(
            Zone::Private,
            &["fd00::1", "fc00::1", "fec0::1", "fd00:ec3::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"],
        );
        check(Zone::Private, &["2002:a00:1::1", "64:ff9b:1::1", "192.0.0.1"]);
        check(
            Zone::Machine,
            &["127.0.0.1", "127.255.0.1", "0.0.0.0", "0.1.2.3", "::1", "::", "::ffff:127.0.0.1"],
        );
        check(Zone::Machine, &["64:ff9b::7f00:1", "2002:7f00:1::"]);
        check(
            Zone::Closed,
            &["169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.0.1", "168.63.129.16"],
        );
        check(Zone::Closed, &["100.100.100.200", "192.0.0.192", "224.0.0.1", "255.255.255.255", "240.0.0.1"]);
        check(
            Zone::Closed,
            &["fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::1", "febf::1", "ff02::1"],
        );
        check(Zone::Closed, &["::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::"]);
    }

    #[test]
    fn nobody_leads_further_in() {
        use Zone::{Closed, Machine, Private, Public};
        for (here, there) in [
            (Public, vec![Public]),
            (Private, vec![Public, Private]),
            (Machine, vec![Public, Private, Machine]),
            (Closed, vec![Public, Private]),
        ] {
            let reached = [Public, Private, Machine, Closed].into_iter().filter(|there| here.reaches(*there));
            assert_eq!(reached.collect::<Vec<_>>(), there, "{here:?}");
        }
    }

    #[test]
    fn names_that_say_it() {
        let check = |url: &str, expected: Option<Zone>| {
            assert_eq!(Zone::said_by(&Url::parse(url).unwrap()), expected, "{url}");
        };
        check("https://ghcr.io/", None);
        check("https://localhost/", Some(Zone::Machine));
        check("https://x.LOCALHOST./", Some(Zone::Machine));
        check("https://0x7f.1/", Some(Zone::Machine));
        check("https://2130706433/", Some(Zone::Machine));
        check("https://[::ffff:a9fe:a9fe]/", Some(Zone::Closed));
        check("https://127.0.0.1.example/", None);
    }

    /// Knows every name, by the same address.
    struct Always(SocketAddr);

    impl Resolve for Always {
        fn resolve(&self, _: Name) -> Resolving {
            let address = self.0;
            Box::pin(async move { Ok(Box::new(std::iter::once(address)) as Addrs) })
        }
    }

    #[tokio::test]
    async fn a_name_leads_nowhere_that_its_address_may_not() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let fetch = async |reach| {
            let guard = Guard { reach, system: Always(address) };
            let client = reqwest::Client::builder()
                .no_proxy()
                .dns_resolver(std::sync::Arc::new(guard))
                .build()
                .unwrap();
            let host = address.to_string();
            let error =
                client.get(format!("http://store.example:{}/", address.port())).send().await.unwrap_err();
            crate::transport::http::no_answer(error, host).to_string()
        };
        assert_eq!(
            fetch(Zone::Public).await,
            "the answer is not a registry's: it leads to `store.example`, which is 127.0.0.1, an address of a private network"
        );
        assert!(futures::poll!(std::pin::pin!(listener.accept())).is_pending(), "nobody came");
        let server = tokio::spawn(async move { drop(listener.accept().await.unwrap()) });
        assert!(fetch(Zone::Machine).await.ends_with("the connection broke"));
        server.await.unwrap();
    }
}
