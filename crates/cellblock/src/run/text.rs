//! The text of a program: UTF-8, or in Python what the program names as PEP 263 has it.

use session::Language;

use crate::hints::Hint;

/// The text of a program in this language; `what` is being done with it. Python's may name another encoding.
pub(crate) fn text(bytes: &[u8], language: Language, what: &str) -> anyhow::Result<String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if language != Language::Python {
        return String::from_utf8(bytes.to_vec()).map_err(|_| {
            let hint = "save it as UTF-8, as programs in JavaScript and TypeScript are";
            Hint::new(format!("{what}: it is not UTF-8"), hint).into()
        });
    }
    let encoding = encoding(bytes).unwrap_or_default().to_ascii_lowercase().replace('_', "-");
    match encoding.as_str() {
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" => {
            Ok(bytes.iter().copied().map(char::from).collect())
        }
        "" | "utf-8" | "utf8" | "utf-8-sig" | "ascii" | "us-ascii" => String::from_utf8(bytes.to_vec())
            .map_err(|_| {
                let hint = "save it as UTF-8, which Python expects";
                Hint::new(format!("{what}: it is not UTF-8"), hint).into()
            }),
        other => {
            let other = crate::printer::name(other);
            let hint = "save it as UTF-8; of others, only latin-1 is read";
            Err(Hint::new(format!("{what}: its encoding is `{other}`"), hint).into())
        }
    }
}

/// What a comment in the first two lines says: `# -*- coding: latin-1 -*-`.
fn encoding(bytes: &[u8]) -> Option<String> {
    bytes.split(|&byte| byte == b'\n').take(2).find_map(|line| {
        let line = String::from_utf8_lossy(line);
        let comment = line.trim_start().strip_prefix('#')?;
        let rest = &comment[comment.find("coding")? + "coding".len()..];
        let name = rest.strip_prefix([':', '='])?.trim_start();
        let end =
            name.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(name.len());
        Some(name[..end].to_owned()).filter(|name| !name.is_empty())
    })
}

/// The first line of a program, as far as it can be read in any encoding.
pub(crate) fn first_line(bytes: &[u8]) -> String {
    /// What is longer is no line that names a program.
    const LONGEST: usize = 200;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(&line[..line.len().min(LONGEST)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_that_the_program_names_is_used() {
        let read = |bytes: &[u8]| text(bytes, Language::Python, "read it").unwrap();
        assert_eq!(
            read(b"#!/x\n# vim: set fileencoding=Latin_1 :\nx = '\xe9'").chars().rev().nth(1),
            Some('é')
        );
        assert_eq!(read("# coding: utf-8\n'é'".as_bytes()).chars().rev().nth(1), Some('é'));
        assert_eq!(encoding(b"x = 1\ny = 2\n# coding: latin-1"), None);
        assert_eq!(encoding(b"x = 'coding: latin-1'"), None);
    }

    #[test]
    fn other_languages_are_in_utf_8_whatever_they_say() {
        let read = |bytes: &[u8]| text(bytes, Language::Node(session::Dialect::JavaScript), "read it");
        assert_eq!(read("\u{feff}'é' # coding: latin-1".as_bytes()).unwrap(), "'é' # coding: latin-1");
        assert!(read(b"# coding: latin-1\n'\xe9'").is_err());
        assert_eq!(first_line(b"\xef\xbb\xbf#!/usr/bin/env node\nx"), "#!/usr/bin/env node");
        assert_eq!(first_line(&[b'x'; 1000]).len(), 200);
    }
}
