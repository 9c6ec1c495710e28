//! Segments of paths, identifiers and the header of a signature: what is accepted is what another decoder reads.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|segment: &str| {
    if let Some(text) = server::fuzz::decode(segment) {
        assert!(text.len() <= segment.len() && !text.chars().any(char::is_control));
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(server::fuzz::decode(&encoded), Some(text.clone()));
        if let Some(id) = server::fuzz::interpreter(&text) {
            assert!(text.ends_with(&id) && !id.contains('/'));
            assert_eq!(server::fuzz::interpreter(&id), Some(id));
        }
    }
    if let Some(region) = server::fuzz::region(segment) {
        assert!(segment.contains(region) && region.len() > 3);
    }
});
