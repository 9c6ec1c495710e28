//! Which address stands for which name in one session.
//!
//! In the mode `allow` a name has an address of its own, which nobody routes: what a connection wants is known by it,
//! whatever the name resolves to. In the mode `internet` it is remembered which name an address was answered for, for
//! those who read reports.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use policy::network::{Name, Network, Pattern, SYNTHETIC_V4, SYNTHETIC_V6};

/// How many listed names a session can ask for.
pub(crate) const LISTED: usize = 4096;
/// How many answered addresses are remembered.
const ANSWERED: usize = 4096;
/// How many names below one that is listed may fail to resolve.
pub(crate) const FAILING: usize = 16;

/// The names of one session.
#[derive(Debug, Default)]
pub(crate) struct Names {
    listed: Vec<Listed>,
    places: HashMap<Name, usize>,
    /// How many names below these did not resolve.
    failing: HashMap<Name, usize>,
    answered: HashMap<IpAddr, Name>,
    order: VecDeque<IpAddr>,
}

/// A name with its own addresses.
#[derive(Debug)]
struct Listed {
    name: Name,
    known: Known,
}

/// What a name resolved to.
#[derive(Debug, Clone, Default)]
pub(crate) enum Known {
    /// Nobody has asked yet.
    #[default]
    Nothing,
    /// These, until then.
    Addresses(Vec<IpAddr>, Instant),
    /// Nothing.
    Failed,
}

impl Names {
    /// The addresses that stand for a name; `None` if there are too many names.
    pub(crate) fn stand_in(&mut self, name: &Name) -> Option<(Ipv4Addr, Ipv6Addr)> {
        let place = match self.places.get(name) {
            Some(&place) => place,
            None if self.listed.len() >= LISTED => return None,
            None => {
                self.listed.push(Listed { name: name.clone(), known: Known::Nothing });
                self.places.insert(name.clone(), self.listed.len() - 1);
                self.listed.len() - 1
            }
        };
        // The first address of a network is the network's own.
        let offset = place as u32 + 1;
        let (IpAddr::V4(v4), IpAddr::V6(v6)) = (SYNTHETIC_V4.address, SYNTHETIC_V6.address) else {
            return None;
        };
        Some(((u32::from(v4) + offset).into(), (u128::from(v6) + u128::from(offset)).into()))
    }

    /// The name that an address stands for.
    pub(crate) fn behind(&self, address: IpAddr) -> Option<&Name> {
        let offset = match (address, SYNTHETIC_V4.address, SYNTHETIC_V6.address) {
            (IpAddr::V4(own), IpAddr::V4(first), _) => u32::from(own).checked_sub(first.into())?.into(),
            (IpAddr::V6(own), _, IpAddr::V6(first)) => u128::from(own).checked_sub(first.into())?,
            _ => return None,
        };
        let place = usize::try_from(offset.checked_sub(1)?).ok()?;
        self.listed.get(place).map(|listed| &listed.name)
    }

    /// What a name resolved to.
    pub(crate) fn known(&self, name: &Name) -> Known {
        self.places.get(name).map_or(Known::Nothing, |&place| self.listed[place].known.clone())
    }

    /// Remembers what a name resolved to.
    pub(crate) fn learn(&mut self, name: &Name, known: Known, network: &Network) {
        let Some(listed) = self.places.get(name).and_then(|&place| self.listed.get_mut(place)) else {
            return;
        };
        let first = !matches!(listed.known, Known::Failed) && matches!(known, Known::Failed);
        listed.known = known;
        if let Some(parent) = below(network, name).filter(|_| first) {
            *self.failing.entry(parent.clone()).or_default() += 1;
        }
    }

    /// Whether so many names like this one failed to resolve that it must not be asked for.
    pub(crate) fn guessed(&self, name: &Name, network: &Network) -> bool {
        matches!(self.known(name), Known::Nothing)
            && below(network, name)
                .is_some_and(|parent| self.failing.get(parent).is_some_and(|&count| count >= FAILING))
    }

    /// Remembers for which name an address was answered.
    pub(crate) fn answered(&mut self, address: IpAddr, name: &Name) {
        if self.answered.insert(address, name.clone()).is_none() {
            self.order.push_back(address);
        }
        if self.order.len() > ANSWERED {
            let oldest = self.order.pop_front();
            oldest.map(|address| self.answered.remove(&address));
        }
    }

    /// For which name an address was answered.
    pub(crate) fn asked_for(&self, address: IpAddr) -> Option<&Name> {
        self.answered.get(&address)
    }
}

/// The listed name that this one is below, unless it is listed itself.
fn below<'a>(network: &'a Network, name: &Name) -> Option<&'a Name> {
    let mut found = None;
    for entry in &network.allow {
        match entry {
            policy::network::Entry::Name(pattern, _) if pattern.matches(name) => match pattern {
                Pattern::Exact(_) => return None,
                Pattern::Below(parent) => found = Some(parent),
            },
            _ => {}
        }
    }
    found
}
