//! Bodies of invocations: whatever comes is refused in AWS's shape, or means what JSON says it means.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    match server::fuzz::invocation(body) {
        Ok(files) => {
            assert!(std::str::from_utf8(body).is_ok());
            // Fields that nobody asks for may hold what that one does not read: numbers beyond measure, half a pair.
            let Ok(whole) = serde_json::from_slice::<Value>(body) else { return };
            // Texts are cut out of the body where nothing in them is escaped: another reader must find the same.
            for (file, (path, bytes)) in files.iter().enumerate() {
                let said = &whole["arguments"]["content"][file];
                assert_eq!(said["path"].as_str(), Some(path.as_str()));
                if let Some(text) = said["text"].as_str() {
                    assert_eq!(text.as_bytes(), bytes);
                }
            }
        }
        Err(fault) => {
            let fault: Value = serde_json::from_str(&fault).expect("a fault is JSON");
            assert!(fault["message"].as_str().is_some_and(|message| !message.is_empty()));
        }
    }
});
