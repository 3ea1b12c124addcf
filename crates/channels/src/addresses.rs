//! Which addresses inboxes may call: the public internet, and what the operator lists.

use std::net::IpAddr;

use frontdesk_provider_http::AddressPolicy;
use ipnet::IpNet;

/// Public addresses, and those the operator lists. A listed name is checked by name before each call, so that it may
/// resolve to any private address.
pub(crate) fn policy(hosts: &[String]) -> AddressPolicy {
    let mut networks = Vec::new();
    for host in hosts {
        let host = host.trim().trim_start_matches('[').trim_end_matches(']');
        match (host.parse::<IpNet>(), host.parse::<IpAddr>()) {
            (Ok(network), _) => networks.push(network),
            (_, Ok(address)) => networks.push(address.into()),
            _ => return AddressPolicy::any(),
        }
    }
    AddressPolicy::allowing(networks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_addresses_are_reached() {
        let reached = |hosts: &[&str], address: &str| {
            let hosts: Vec<String> = hosts.iter().map(|&h| h.to_owned()).collect();
            policy(&hosts).check_address(address.parse().unwrap()).is_ok()
        };
        assert!(reached(&[], "157.240.1.1") && !reached(&[], "127.0.0.1") && !reached(&[], "10.0.0.1"));
        assert!(reached(&["127.0.0.1"], "127.0.0.1") && !reached(&["127.0.0.1"], "127.0.0.2"));
        assert!(reached(&["[::1]"], "::1") && reached(&["10.0.0.0/8"], "10.9.9.9"));
        assert!(!reached(&["10.0.0.0/8"], "192.168.1.1"));
        assert!(reached(&["graph.internal"], "192.168.1.1"));
    }
}
