//! Interpreters by their ids and ARNs, and segments of paths.

use crate::fault::Fault;

use super::rules::whole;

/// The interpreter that everybody has.
pub(super) const SYSTEM: &str = "aws.codeinterpreter.v1";
const ID: &str = r"aws\.codeinterpreter\.v1|[a-zA-Z][a-zA-Z0-9_]{0,47}-[a-zA-Z0-9]{10}";
const ARN: &str =
    r"arn:[^:]*:bedrock-agentcore:[a-z0-9-]*:[a-z0-9]*:(code-interpreter|code-interpreter-custom)/[^/]+";
/// The account that ARNs name: there are no accounts here.
const ACCOUNT: &str = "000000000000";
const REGION: &str = "us-east-1";

/// Decodes a segment of a path.
pub(super) fn decode(segment: &str) -> Result<String, Fault> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err(Fault::validation("the path has a `%` without two hexadecimal digits after it")),
        }
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Fault::validation("the path is not UTF-8 when it is decoded"))?;
    if text.chars().any(char::is_control) {
        return Err(Fault::validation("the path has a control character in it"));
    }
    Ok(text)
}

/// The id of the interpreter that an id or an ARN names. (Whether there is one is not said.)
pub(super) fn interpreter(identifier: &str) -> Result<&str, Fault> {
    let id = match identifier.rsplit_once('/') {
        Some((_, id)) if whole(ARN, identifier) => id,
        Some(_) => "",
        None => identifier,
    };
    if whole(ID, id) {
        Ok(id)
    } else {
        let shown: String = identifier.chars().take(100).collect();
        Err(Fault::field(
            "codeInterpreterIdentifier",
            format!("`{shown}` is neither the id nor the ARN of a code interpreter"),
        ))
    }
}

/// The system interpreter's ARN.
pub(super) fn system_arn(region: Option<&str>) -> String {
    format!("arn:aws:bedrock-agentcore:{}:aws:code-interpreter/{SYSTEM}", region.unwrap_or(REGION))
}

/// A custom interpreter's ARN.
pub(super) fn custom_arn(region: Option<&str>, id: &str) -> String {
    format!("arn:aws:bedrock-agentcore:{}:{ACCOUNT}:code-interpreter-custom/{id}", region.unwrap_or(REGION))
}

/// The region that a request was signed for, if it says one.
pub(super) fn region(authorization: Option<&str>) -> Option<&str> {
    let scope = authorization?.split_once("Credential=")?.1;
    let region = scope.split(['/', ',', ' ']).nth(2)?;
    whole("[a-z]{2,3}(-[a-z0-9]+)+", region).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_and_arns_name_interpreters() {
        assert_eq!(interpreter(SYSTEM).unwrap(), SYSTEM);
        assert_eq!(interpreter(&system_arn(None)).unwrap(), SYSTEM);
        assert_eq!(interpreter("mine-Ab3Ab3Ab3A").unwrap(), "mine-Ab3Ab3Ab3A");
        assert_eq!(
            interpreter(&custom_arn(Some("eu-west-1"), "mine-Ab3Ab3Ab3A")).unwrap(),
            "mine-Ab3Ab3Ab3A"
        );
        for wrong in [
            "",
            "aws.codeinterpreter.v2",
            "a/b",
            "../etc/passwd",
            "arn:aws:s3:::x/mine-Ab3Ab3Ab3A",
            "mine-short",
        ] {
            assert!(interpreter(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_region_is_that_of_the_signature() {
        let signed = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-central-1/bedrock-agentcore/aws4_request, SignedHeaders=host";
        assert_eq!(region(Some(signed)), Some("eu-central-1"));
        for other in [None, Some(""), Some("Bearer x"), Some("Credential=a/b/NO PE/x")] {
            assert_eq!(region(other), None, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn any_segment_is_decoded_or_refused(segment in "[ -~]{0,60}") {
            if let Ok(text) = decode(&segment) {
                prop_assert!(text.len() <= segment.len());
            }
            let _ = interpreter(&segment);
            let _ = region(Some(&segment));
        }

        #[test]
        fn what_was_encoded_is_decoded(text in "[^\\p{Cc}]{0,40}") {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            prop_assert_eq!(decode(&encoded).unwrap(), text);
        }
    }
}
