//! Byte strings to look for in packets, in the shapes in which they may travel.

/// A text that a packet may bear.
#[derive(Debug, Clone)]
pub struct Needle {
    text: String,
    shapes: Vec<Vec<u8>>,
}

impl Needle {
    /// A text as it is, in upper or lower case, and as it looks within something in hexadecimal, base 32, base 64 or
    /// the alphabet of `NetBIOS` names.
    ///
    /// # Panics
    ///
    /// If it is shorter than eight characters: it would be found by chance.
    pub fn new(text: &str) -> Self {
        assert!(text.len() >= 8, "`{text}` would be found by chance");
        let lower = text.to_ascii_lowercase();
        let upper = text.to_ascii_uppercase();
        let mut shapes = vec![lower.clone().into_bytes()];
        for text in [text, &lower, &upper] {
            shapes.extend(within(text.as_bytes(), 4, b"0123456789abcdef"));
            shapes.extend(within(text.as_bytes(), 5, b"abcdefghijklmnopqrstuvwxyz234567"));
            shapes.extend(within(text.as_bytes(), 5, b"0123456789abcdefghijklmnopqrstuv"));
            // The last two characters differ between alphabets of base 64; case does not count.
            for end in [b"+/", b"-_"] {
                let alphabet = [b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789", &end[..]];
                shapes.extend(within(text.as_bytes(), 6, &alphabet.concat()));
            }
        }
        // A name of NetBIOS has fifteen characters.
        shapes.extend(within(&upper.as_bytes()[..upper.len().min(15)], 4, b"abcdefghijklmnop"));
        shapes.sort();
        shapes.dedup();
        Self { text: text.to_owned(), shapes }
    }

    /// The text itself.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is somewhere in `bytes`, which are in lower case.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        self.shapes.iter().any(|shape| bytes.windows(shape.len()).any(|window| window == shape))
    }
}

/// What of `text` can be read in an encoding with `bits` bits a character, wherever in it the text begins.
fn within(text: &[u8], bits: usize, alphabet: &[u8]) -> Vec<Vec<u8>> {
    let bit = |at: usize| usize::from(text[at / 8] >> (7 - at % 8) & 1);
    let starts = (0..bits).map(|bytes_before| (bits - bytes_before * 8 % bits) % bits);
    let mut found: Vec<Vec<u8>> = starts
        .map(|first| {
            let characters = (text.len() * 8 - first) / bits;
            let value =
                |at: usize| (0..bits).fold(0, |value, next| value << 1 | bit(first + at * bits + next));
            (0..characters).map(|at| alphabet[value(at)]).collect()
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, within: &[u8]) -> bool {
        Needle::new(text).is_in(&within.to_ascii_lowercase())
    }

    #[test]
    fn a_text_is_found_in_every_shape() {
        for (shape, what) in [
            ("..bed-LABEL-7..", "in upper and lower case"),
            ("006265642d6c6162656c2d3700", "hexadecimal"),
            ("PBRGKZBNNRQWEZLMFU3XQ===", "base 32, after 1 bytes"),
            ("PB4GEZLEFVWGCYTFNQWTO6A=", "base 32, after 2 bytes"),
            ("PB4HQYTFMQWWYYLCMVWC2N3Y", "base 32, after 3 bytes"),
            ("PB4HQ6DCMVSC23DBMJSWYLJXPA======", "base 32, after 4 bytes"),
            ("F1S64PB45LM62OJ5DGMJE===", "its other alphabet"),
            ("YmVkLWxhYmVsLTd4", "base 64, after 0 bytes"),
            ("eGJlZC1sYWJlbC03eA==", "base 64, after 1 bytes"),
            ("eHhiZWQtbGFiZWwtN3g=", "base 64, after 2 bytes"),
            ("ECEFEECNEMEBECEFEMCNDHCACACACAAA", "a name of NetBIOS"),
        ] {
            assert!(found("bed-label-7", shape.as_bytes()), "{what}: {shape}");
        }
        assert!(!found("bed-label-7", b"bed-label-8 6265642d6c6162656c2d38"));
    }
}
