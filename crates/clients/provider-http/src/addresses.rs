//! Which URLs and addresses may be reached.
//!
//! URLs come from settings, from webhooks and from providers' answers; any of them may point inward
//! (loopback, private networks, cloud metadata). The URL is checked before the call and the address
//! at connect time, after the name was resolved, so that a name which answers a public address first
//! and a private one later (DNS rebinding) gains nothing. Proxies of the environment are not used:
//! behind one the address could not be checked.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

/// IPv4 ranges that are not the public internet (IANA special-purpose registry).
const CLOSED_V4: [Ipv4Net; 15] = [
    v4(0, 0, 0, 0, 8),       // this network
    v4(10, 0, 0, 0, 8),      // private
    v4(100, 64, 0, 0, 10),   // carrier-grade NAT; also cloud metadata (100.100.100.200)
    v4(127, 0, 0, 0, 8),     // loopback
    v4(169, 254, 0, 0, 16),  // link-local; cloud metadata (169.254.169.254)
    v4(172, 16, 0, 0, 12),   // private
    v4(192, 0, 0, 0, 24),    // protocol assignments; also cloud metadata (192.0.0.192)
    v4(192, 0, 2, 0, 24),    // documentation
    v4(192, 88, 99, 0, 24),  // 6to4 relays
    v4(192, 168, 0, 0, 16),  // private
    v4(198, 18, 0, 0, 15),   // benchmarks
    v4(198, 51, 100, 0, 24), // documentation
    v4(203, 0, 113, 0, 24),  // documentation
    v4(224, 0, 0, 0, 4),     // multicast
    v4(240, 0, 0, 0, 4),     // reserved, broadcast
];

/// The only IPv6 range given out for the public internet.
const GLOBAL_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// Parts of it that are not: Teredo, ORCHID and other protocol assignments; documentation; 6to4.
const CLOSED_V6: [Ipv6Net; 4] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    Ipv6Net::new_assert(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];
/// NAT64: the last 32 bits are an IPv4 address, judged by itself.
const NAT64: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Why a URL or an address is not called. Holds no path and no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusedAddress {
    /// Neither https nor loopback http.
    #[error("only https is called (plain http on loopback where that is allowed)")]
    Scheme,
    /// A URL with a user name or password in it.
    #[error("the URL holds a user name or password")]
    UserInfo,
    /// A URL of a foreign origin with a port of its own.
    #[error("the URL names a port other than the usual one")]
    Port,
    /// No host.
    #[error("the URL has no host")]
    NoHost,
    /// An address that is not on the public internet and not allowed by the settings.
    #[error("the address is not public and not allowed by the settings")]
    NotPublic,
}

/// Which addresses may be reached: the public internet, and what the operator adds.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    allowed: Arc<[IpNet]>,
}

impl AddressPolicy {
    /// The public internet only.
    pub fn public_only() -> Self {
        Self::default()
    }

    /// Also loopback, over plain http too: tests, the sandbox, a gateway on the same machine.
    pub fn with_loopback() -> Self {
        Self::allowing([
            IpNet::from(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
            IpNet::from(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
        ])
    }

    /// Also these networks, as `10.1.0.0/16` for a provider inside one's own network.
    pub fn allowing(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self { allowed: networks.into_iter().collect() }
    }

    /// Also every private network. For operators who trust all accounts on the server.
    pub fn any() -> Self {
        Self::allowing([
            IpNet::from(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)),
            IpNet::from(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0)),
        ])
    }

    /// Also these hosts, as operators list them: addresses, networks, names. A name may resolve to any private address,
    /// and is checked by name before each call, so with one in the list every address is connected to.
    pub fn allowing_hosts(hosts: &[String]) -> Self {
        let mut networks = Vec::new();
        for host in hosts {
            let host = host.trim().trim_start_matches('[').trim_end_matches(']');
            match (host.parse::<IpNet>(), host.parse::<IpAddr>()) {
                (Ok(network), _) => networks.push(network),
                (_, Ok(address)) => networks.push(address.into()),
                _ => return Self::any(),
            }
        }
        Self::allowing(networks)
    }

    /// Checks an address, whatever form of it a system call would take.
    pub fn check_address(&self, address: IpAddr) -> Result<(), RefusedAddress> {
        let address = address.to_canonical();
        if is_public(address) || self.allowed.iter().any(|network| network.contains(&address)) {
            Ok(())
        } else {
            Err(RefusedAddress::NotPublic)
        }
    }

    /// What of a name's addresses may be connected to; asked anew for each connection.
    fn sift(&self, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, RefusedAddress> {
        let (allowed, refused): (Vec<_>, Vec<_>) =
            found.partition(|address| self.check_address(address.ip()).is_ok());
        if allowed.is_empty() && !refused.is_empty() { Err(RefusedAddress::NotPublic) } else { Ok(allowed) }
    }

    /// Checks a URL before it is called. `base` is the provider's own: only it may name a port.
    pub fn check_url(&self, url: &Url, base: &Url) -> Result<(), RefusedAddress> {
        let host = url.host().ok_or(RefusedAddress::NoHost)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&host) => {}
            _ => return Err(RefusedAddress::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RefusedAddress::UserInfo);
        }
        if url.port().is_some() && url.origin() != base.origin() {
            return Err(RefusedAddress::Port);
        }
        // A name is checked once it is resolved; a literal never goes through the resolver.
        match host {
            Host::Domain(_) => Ok(()),
            Host::Ipv4(address) => self.check_address(address.into()),
            Host::Ipv6(address) => self.check_address(address.into()),
        }
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !CLOSED_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) if NAT64.contains(&address) => {
            let [.., a, b, c, d] = address.octets();
            is_public(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !CLOSED_V6.iter().any(|network| network.contains(&address))
        }
    }
}

/// The system's resolver, with addresses that may not be reached taken out of its answers.
#[derive(Debug, Clone)]
pub(crate) struct GuardedResolver {
    pub(crate) policy: AddressPolicy,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Addrs = Box::new(policy.sift(found)?.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INWARD: [&str; 34] = [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.0.0.1./",
        "https://0.0.0.0/",
        "https://0/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://172.31.255.255/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.100.100.200/",
        "https://192.0.0.192/",
        "https://198.18.0.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:7f00:1::]/",
        "https://[fc00::1]/",
        "https://[fd12:3456::1]/",
        "https://[fe80::1]/",
        "https://[fec0::1]/",
        "https://[ff02::1]/",
        "https://[fd00:ec2::254]/",
        "https://１２７.0.0.1/",
    ];

    fn base() -> Url {
        Url::parse("https://graph.facebook.com").unwrap()
    }

    #[test]
    fn every_spelling_of_an_inward_address_is_refused() {
        for url in INWARD {
            let url = Url::parse(url).unwrap();
            assert_eq!(
                AddressPolicy::public_only().check_url(&url, &base()),
                Err(RefusedAddress::NotPublic),
                "{url}"
            );
        }
    }

    #[test]
    fn public_addresses_and_names_pass() {
        for url in [
            "https://1.1.1.1/",
            "https://[2a03:2880::1]/",
            "https://[64:ff9b::101:101]/",
            "https://lookaside.fbsbx.com/x",
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(AddressPolicy::public_only().check_url(&url, &base()), Ok(()), "{url}");
        }
    }

    #[test]
    fn other_schemes_user_info_and_ports_are_refused() {
        let policy = AddressPolicy::with_loopback();
        for (url, why) in [
            ("http://graph.facebook.com/", RefusedAddress::Scheme),
            ("http://127.0.0.1.example.com/", RefusedAddress::Scheme),
            ("ftp://example.com/", RefusedAddress::Scheme),
            ("file:///etc/passwd", RefusedAddress::NoHost),
            ("gopher://example.com/", RefusedAddress::Scheme),
            ("https://graph.facebook.com@example.com/", RefusedAddress::UserInfo),
            ("https://user:pw@example.com/", RefusedAddress::UserInfo),
            ("https://example.com:8443/", RefusedAddress::Port),
            ("https://graph.facebook.com:22/", RefusedAddress::Port),
        ] {
            assert_eq!(policy.check_url(&Url::parse(url).unwrap(), &base()), Err(why), "{url}");
        }
    }

    #[test]
    fn loopback_and_networks_can_be_allowed() {
        let local = Url::parse("http://127.0.0.1:9090/graph").unwrap();
        assert_eq!(AddressPolicy::with_loopback().check_url(&local, &local), Ok(()));
        assert_eq!(AddressPolicy::public_only().check_url(&local, &local), Err(RefusedAddress::NotPublic));
        let policy = AddressPolicy::allowing(["10.1.0.0/16".parse().unwrap()]);
        assert_eq!(policy.check_address("10.1.2.3".parse().unwrap()), Ok(()));
        assert_eq!(policy.check_address("::ffff:10.1.2.3".parse().unwrap()), Ok(()));
        assert_eq!(policy.check_address("10.2.0.1".parse().unwrap()), Err(RefusedAddress::NotPublic));
        assert_eq!(AddressPolicy::any().check_address("192.168.0.1".parse().unwrap()), Ok(()));
    }

    #[test]
    fn a_name_that_moves_inward_is_refused_at_the_next_connection() {
        let policy = AddressPolicy::public_only();
        let at = |address: &str| SocketAddr::new(address.parse().unwrap(), 443);
        let outside = at("157.240.1.1");
        assert_eq!(policy.sift([outside].into_iter()), Ok(vec![outside]));
        for inside in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:192.168.0.1", "fd00::1"] {
            let moved = policy.sift([at(inside)].into_iter());
            assert_eq!(moved, Err(RefusedAddress::NotPublic), "{inside}");
            let mixed = policy.sift([at(inside), outside].into_iter());
            assert_eq!(mixed, Ok(vec![outside]), "{inside} beside a public address");
        }
    }

    #[tokio::test]
    async fn a_name_that_resolves_inward_is_refused() {
        let guarded = GuardedResolver { policy: AddressPolicy::public_only() };
        let error = guarded.resolve("localhost".parse().unwrap()).await.err().expect("refused");
        assert_eq!(error.downcast_ref::<RefusedAddress>(), Some(&RefusedAddress::NotPublic));
        let open = GuardedResolver { policy: AddressPolicy::with_loopback() };
        assert!(open.resolve("localhost".parse().unwrap()).await.unwrap().count() > 0);
    }

    #[test]
    fn only_listed_hosts_are_reached_beside_the_public_ones() {
        let reached = |hosts: &[&str], address: &str| {
            let hosts: Vec<String> = hosts.iter().map(|&h| h.to_owned()).collect();
            AddressPolicy::allowing_hosts(&hosts).check_address(address.parse().unwrap()).is_ok()
        };
        assert!(reached(&[], "157.240.1.1") && !reached(&[], "127.0.0.1") && !reached(&[], "10.0.0.1"));
        assert!(reached(&["127.0.0.1"], "127.0.0.1") && !reached(&["127.0.0.1"], "127.0.0.2"));
        assert!(reached(&["[::1]"], "::1") && reached(&["10.0.0.0/8"], "10.9.9.9"));
        assert!(reached(&["hooks.internal"], "192.168.1.1"));
    }
}
