//! Texts that are longer than a model should be given: the middle is left out, and counted.

/// The most characters of one text that are given.
pub(super) const MOST: usize = 100_000;

/// A text without its middle.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut<'a> {
    /// What comes before.
    pub(super) head: &'a str,
    /// How many characters are missing.
    pub(super) missing: usize,
    /// What comes after.
    pub(super) tail: &'a str,
}

/// Cuts a text that has more than so many characters; none, if it has not.
pub(super) fn cut(text: &str, most: usize) -> Option<Cut<'_>> {
    // Characters are bytes at least.
    if text.len() <= most {
        return None;
    }
    let count = text.chars().count();
    let missing = count.checked_sub(most).filter(|missing| *missing > 0)?;
    let at = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    let head = most - most / 2;
    Some(Cut { head: &text[..at(head)], missing, tail: &text[at(head + missing)..] })
}

impl Cut<'_> {
    /// What is given, with a line in the place of what is missing.
    pub(super) fn told(&self, whole: &str) -> String {
        let Cut { head, missing, tail } = self;
        format!("{head}\n[… {missing} characters are left out here; {whole} …]\n{tail}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_left_as_it_is() {
        assert_eq!(cut("", 0), None);
        assert_eq!(cut("äöü", 3), None);
        assert_eq!(cut(&"x".repeat(MOST), MOST), None);
    }

    #[test]
    fn the_middle_is_counted_in_characters() {
        assert_eq!(cut("aäbcdé", 4), Some(Cut { head: "aä", missing: 2, tail: "dé" }));
        assert_eq!(cut("abcdef", 3), Some(Cut { head: "ab", missing: 3, tail: "f" }));
        assert_eq!(cut("ab", 0), Some(Cut { head: "", missing: 2, tail: "" }));
        let text = "ä".repeat(MOST + 7);
        let cut = cut(&text, MOST).unwrap();
        assert_eq!(cut.missing, 7);
        assert_eq!(cut.head.chars().count() + cut.tail.chars().count(), MOST);
    }
}
