//! The binary form of rules, in which they cross from daemon to launcher.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use protocol::codec::{CodecError, Reader, Writer};

use super::address::Prefix;
use super::rules::{Chain, Door, Rule, Rules, Then, When};

fn write_chain(chain: &Chain, out: &mut Writer) {
    out.list(chain.iter(), |w, rule| {
        w.list(rule.when.iter(), |w, when| when.write(w));
        rule.then.write(w);
    });
}

fn read_chain(read: &mut Reader) -> Result<Chain, CodecError> {
    read.list(|r| Ok(Rule { when: r.list(When::read)?, then: Then::read(r)? }))
}

impl Rules {
    /// Appends the rules to a message.
    pub(crate) fn write(&self, out: &mut Writer) {
        for chain in [&self.untracked, &self.lead, &self.guard] {
            write_chain(chain, out);
        }
    }

    /// Reads rules from a message. Without a guard there are none.
    pub(crate) fn read(read: &mut Reader) -> Result<Rules, CodecError> {
        let rules = Rules { untracked: read_chain(read)?, lead: read_chain(read)?, guard: read_chain(read)? };
        let rejects = |rule: &Rule| rule.when.is_empty() && rule.then == Then::Unreachable;
        if !rules.guard.last().is_some_and(rejects) {
            return Err(CodecError::Value("the rules of the network"));
        }
        Ok(rules)
    }
}

impl Prefix {
    fn write(self, out: &mut Writer) {
        match self.address {
            IpAddr::V4(v4) => out.u8(4).u32(v4.into()),
            IpAddr::V6(v6) => out.u8(6).u128(v6.into()),
        };
        out.u8(self.bits);
    }

    fn read(read: &mut Reader) -> Result<Prefix, CodecError> {
        let address: IpAddr = match read.u8()? {
            4 => Ipv4Addr::from(read.u32()?).into(),
            6 => Ipv6Addr::from(read.u128()?).into(),
            _ => return Err(CodecError::Value("a range of addresses")),
        };
        let bits = read.u8()?;
        if bits > Prefix::single(address).bits {
            return Err(CodecError::Value("a range of addresses"));
        }
        Ok(Prefix { address, bits })
    }
}

impl When {
    fn write(self, out: &mut Writer) {
        match self {
            When::From(prefix) => prefix.write(out.u8(0)),
            When::To(prefix) => prefix.write(out.u8(1)),
            When::Tcp => _ = out.u8(2),
            When::Udp => _ = out.u8(3),
            When::ToPort(port) => _ = out.u8(4).u32(port.into()),
            When::NotFromPort(port) => _ = out.u8(5).u32(port.into()),
            When::NotToPort(port) => _ = out.u8(10).u32(port.into()),
            When::Known => _ = out.u8(6),
            When::Led => _ = out.u8(7),
            When::Over { rate, burst } => _ = out.u8(8).u32(rate).u32(burst),
            When::Within { rate } => _ = out.u8(9).u32(rate),
        }
    }

    fn read(read: &mut Reader) -> Result<When, CodecError> {
        let port = |read: &mut Reader| u16::try_from(read.u32()?).map_err(|_| CodecError::Value("a port"));
        Ok(match read.u8()? {
            0 => When::From(Prefix::read(read)?),
            1 => When::To(Prefix::read(read)?),
            2 => When::Tcp,
            3 => When::Udp,
            4 => When::ToPort(port(read)?),
            5 => When::NotFromPort(port(read)?),
            6 => When::Known,
            7 => When::Led,
            8 => When::Over { rate: read.u32()?, burst: read.u32()? },
            10 => When::NotToPort(port(read)?),
            9 => When::Within { rate: read.u32()? },
            _ => return Err(CodecError::Value("a condition")),
        })
    }
}

impl Then {
    fn write(self, out: &mut Writer) {
        out.u8(match self {
            Then::Accept => 0,
            Then::Untrack => 1,
            Then::Lead(Door::Streams) => 2,
            Then::Lead(Door::Lookups) => 3,
            Then::Log => 4,
            Then::Reset => 5,
            Then::Unreachable => 6,
        });
    }

    fn read(read: &mut Reader) -> Result<Then, CodecError> {
        Ok(match read.u8()? {
            0 => Then::Accept,
            1 => Then::Untrack,
            2 => Then::Lead(Door::Streams),
            3 => Then::Lead(Door::Lookups),
            4 => Then::Log,
            5 => Then::Reset,
            6 => Then::Unreachable,
            _ => return Err(CodecError::Value("a verdict")),
        })
    }
}
