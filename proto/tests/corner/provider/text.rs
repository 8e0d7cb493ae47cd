//! Text that is more than text: JSON, addresses, networks, times. It is refused if it is none, and keeps
//! the form it had while it means the same.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use prost_types::Timestamp;
use serde_json::Value as Json;
use tfplugin_rs::{Attribute, Schema, Type, Validator};

use crate::keeper::Keeper;

/// The meaning of a text, in one form; `None` if it has none.
type Meaning = fn(&str) -> Option<String>;

/// `corner_text`.
pub(crate) fn resource() -> Keeper {
    let schema = Schema::new()
        .attribute(attribute("duration", "a duration", duration))
        .attribute(attribute("ipv4", "an IPv4 address", shown::<Ipv4Addr>))
        .attribute(attribute("ipv4_cidr", "an IPv4 network", |text| network::<Ipv4Addr>(text, 32)))
        .attribute(attribute("ipv6", "an IPv6 address", shown::<Ipv6Addr>))
        .attribute(attribute("ipv6_cidr", "an IPv6 network", |text| network::<Ipv6Addr>(text, 128)))
        .attribute(attribute("json", "JSON", shown::<Json>))
        .attribute(attribute("json_exact", "JSON", |text| shown::<Json>(text).map(|_| text.to_owned())))
        .attribute(attribute("time", "an RFC 3339 time", shown::<Timestamp>));
    Keeper::new("corner_text", schema)
}

fn attribute(name: &str, form: &str, meaning: Meaning) -> Attribute {
    Attribute::optional(name, Type::String)
        .validate(Validator::text(form, move |text| meaning(text).is_some()))
        .same_if(move |before, wanted| before.as_str().map(meaning) == wanted.as_str().map(meaning))
}

fn shown<T: FromStr + ToString>(text: &str) -> Option<String> {
    text.parse::<T>().ok().map(|value| value.to_string())
}

fn network<A: FromStr + Into<IpAddr>>(text: &str, bits: u8) -> Option<String> {
    let (address, prefix) = text.split_once('/')?;
    let address: IpAddr = address.parse::<A>().ok()?.into();
    let prefix = prefix.parse::<u8>().ok().filter(|prefix| *prefix <= bits)?;
    Some(format!("{address}/{prefix}"))
}

/// Such as `1h2m3s`, in nanoseconds.
fn duration(text: &str) -> Option<String> {
    const UNITS: [(&str, f64); 6] =
        [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("h", 3.6e12), ("m", 6e10), ("s", 1e9)];
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|sign: char| !sign.is_ascii_digit() && sign != '.')?;
        let (count, behind) = rest.split_at(end);
        let (unit, length) = UNITS.into_iter().find(|(unit, _)| behind.starts_with(unit))?;
        sum += count.parse::<f64>().ok()? * length;
        rest = &behind[unit.len()..];
    }
    (!text.is_empty()).then(|| sum.to_string())
}
