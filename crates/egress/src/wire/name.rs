//! A name as it stands in a message: labels of any bytes, each behind its length, up to the empty one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use policy::network::Name;

use super::Reader;

/// The longest that a name can be, in bytes of its wire form (RFC 1035).
const LONGEST: usize = 255;

/// A name in its wire form, without pointers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WireName(Vec<u8>);

impl WireName {
    /// The name of a host.
    pub fn of(name: &Name) -> WireName {
        let mut wire = Vec::with_capacity(name.as_str().len() + 2);
        for label in name.as_str().split('.') {
            // A `Name` has no label of more than 63 bytes.
            wire.push(label.len() as u8);
            wire.extend_from_slice(label.as_bytes());
        }
        wire.push(0);
        WireName(wire)
    }

    /// The next name. Pointers are followed where `pointers` says so, and only backwards, so that there is an end.
    pub(crate) fn read(reader: &mut Reader<'_>, pointers: bool) -> Option<WireName> {
        let message = reader.whole();
        let mut wire = Vec::new();
        let mut before = reader.at();
        // Where it goes on behind the first pointer; what follows in the message stands behind that one.
        let mut elsewhere: Option<Reader<'_>> = None;
        loop {
            let from = match &mut elsewhere {
                Some(there) => there,
                None => &mut *reader,
            };
            match from.u8()? {
                0 => {
                    wire.push(0);
                    return Some(WireName(wire));
                }
                length @ 1..=63 => {
                    wire.push(length);
                    wire.extend_from_slice(from.take(length.into())?);
                    if wire.len() >= LONGEST {
                        return None;
                    }
                }
                high @ 0xc0.. if pointers => {
                    let target = usize::from(high & 0x3f) << 8 | usize::from(from.u8()?);
                    if target >= before {
                        return None;
                    }
                    before = target;
                    let mut there = Reader::new(message);
                    there.take(target)?;
                    elsewhere = Some(there);
                }
                _ => return None,
            }
        }
    }

    /// Its wire form.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its labels, from the first to the last.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (&length, behind) = rest.split_first()?;
            let (label, behind) = behind.split_at_checked(length.into())?;
            rest = behind;
            (!label.is_empty()).then_some(label)
        })
    }

    /// The host that is called so; `None` if none can be.
    pub fn host(&self) -> Option<Name> {
        let mut text = String::with_capacity(self.0.len());
        for label in self.labels() {
            // A dot inside of a label is none between two.
            if label.contains(&b'.') {
                return None;
            }
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(std::str::from_utf8(label).ok()?);
        }
        Name::new(&text)
    }

    /// The address whose name is looked for (`4.3.2.1.in-addr.arpa`, and `ip6.arpa`).
    pub fn reverse(&self) -> Option<IpAddr> {
        let labels: Vec<String> =
            self.labels().map(|label| String::from_utf8_lossy(label).to_ascii_lowercase()).collect();
        let (arpa, rest) = labels.split_last()?;
        let (zone, digits) = rest.split_last()?;
        match (zone.as_str(), arpa.as_str(), digits.len()) {
            ("in-addr", "arpa", 4) => {
                let mut octets = [0; 4];
                for (octet, label) in octets.iter_mut().rev().zip(digits) {
                    *octet = label.parse().ok()?;
                }
                Some(Ipv4Addr::from(octets).into())
            }
            ("ip6", "arpa", 32) => {
                let mut bits = 0;
                for label in digits.iter().rev() {
                    let digit = (label.len() == 1).then(|| u8::from_str_radix(label, 16).ok())??;
                    bits = bits << 4 | u128::from(digit);
                }
                Some(Ipv6Addr::from(bits).into())
            }
            _ => None,
        }
    }
}

impl fmt::Display for WireName {
    /// Printable whatever is in it: other bytes as `\` and their number (RFC 4343).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() <= 1 {
            return f.write_str(".");
        }
        for (index, label) in self.labels().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for &byte in label {
                match byte {
                    b'!'..=b'~' if byte != b'.' && byte != b'\\' && byte != b'`' => {
                        write!(f, "{}", char::from(byte))?;
                    }
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
        }
        Ok(())
    }
}
