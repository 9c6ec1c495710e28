//! What fuzz targets need of the parsers that meet hostile bytes, and nothing else. No part of the interface.

pub use crate::agentcore::fuzz::{decode, exception, interpreter, invocation, region, result};
