//! Turning a request's body into what an operation takes.

use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::fault::{Fault, Kind, Reason};

/// The largest body of an operation that carries no files, bytes.
pub(super) const BODY: u64 = 1 << 20;

/// Understands a body; one that is not there is an empty object.
pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    // Serde would pass over what is wrong in fields that nobody asks for.
    let body = std::str::from_utf8(body).map_err(|error| {
        Fault::validation(format!("the body is not UTF-8: {error}")).because(Reason::CannotParse)
    })?;
    let body = if body.trim_ascii().is_empty() { "{}" } else { body };
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let Object(value) = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let (path, error) = (error.path().to_string(), error.into_inner());
        if error.is_data() && path != "." {
            Fault::field(path, without_place(&error))
        } else {
            Fault::validation(format!("the body is not JSON that this operation takes: {error}"))
                .because(Reason::CannotParse)
        }
    })?;
    deserializer.end().map_err(|error| {
        Fault::validation(format!("the body is not one JSON object: {error}")).because(Reason::CannotParse)
    })?;
    Ok(value)
}

/// What stands as an object in JSON. (Serde would take the list of an object's values for it.)
#[derive(Debug, Default)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// What is wrong, without the line and the column, which say nothing to whoever did not write the JSON by hand.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// The fault of something that cannot be had here.
pub(super) fn not_here(field: &str, why: &str) -> Fault {
    Fault::field(field, why)
}

/// A client that sent what contradicts an earlier request under the same token.
pub(super) fn mismatch() -> Fault {
    Fault::new(Kind::Validation, "this clientToken was used before, for a request with other parameters")
        .because(Reason::IdempotentParameterMismatch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Small {
        #[serde(default)]
        paths: Vec<String>,
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(parse::<Small>(b"").unwrap().paths.is_empty());
        assert!(parse::<Small>(b" \n").unwrap().paths.is_empty());
        let wrong = parse::<Small>(br#"{"paths": ["a", 3]}"#).unwrap_err();
        assert!(wrong.message.contains("'paths[1]'") && wrong.message.contains("integer `3`"), "{wrong:?}");
        for text in ["{", "[]", "{} {}", "nul", "{\"paths\":", "\u{0}"] {
            let fault = parse::<Small>(text.as_bytes()).unwrap_err();
            assert_eq!(fault.kind, Kind::Validation, "{text}: {fault:?}");
        }
        for bytes in [b"\xff\xfe".as_slice(), b"{\"other\": \"\xe2\"}", b"{\"other\xff\": 1}"] {
            assert!(parse::<Small>(bytes).unwrap_err().message.contains("UTF-8"));
        }
    }
}
