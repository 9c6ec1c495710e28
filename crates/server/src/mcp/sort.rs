//! What a file is: a picture that models see, text, or something else.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// How much of a file is looked at, bytes.
const LOOKED_AT: usize = 8192;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sort {
    /// A picture of this type.
    Picture(&'static str),
    /// Text, of this type.
    Text(String),
    /// Anything else, of this type.
    Binary(String),
}

impl Sort {
    /// Its MIME type.
    pub(super) fn mime(&self) -> &str {
        match self {
            Sort::Picture(mime) => mime,
            Sort::Text(mime) | Sort::Binary(mime) => mime,
        }
    }
}

/// What a file of this name is, by its first bytes.
pub(super) fn sort(name: &str, file: &File) -> Sort {
    let mut first = vec![0; LOOKED_AT];
    let read = file.read_at(&mut first, 0).unwrap_or(0);
    first.truncate(read);
    of(name, &first)
}

/// What content that begins like this is.
pub(super) fn of(name: &str, first: &[u8]) -> Sort {
    if let Some(mime) = picture(first) {
        return Sort::Picture(mime);
    }
    let guessed = mime_guess::from_path(name).first_raw();
    if is_text(first) {
        Sort::Text(guessed.unwrap_or("text/plain").to_owned())
    } else {
        Sort::Binary(guessed.unwrap_or("application/octet-stream").to_owned())
    }
}

/// The type of a picture, by how its file begins.
fn picture(first: &[u8]) -> Option<&'static str> {
    match first {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// Whether what begins like this is UTF-8 without a zero byte; its last character may be cut.
fn is_text(first: &[u8]) -> bool {
    if first.contains(&0) {
        return false;
    }
    match std::str::from_utf8(first) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && first.len() >= LOOKED_AT,
    }
}

/// What a name says of a format that is no text; none, if it says nothing of the kind.
pub(super) fn binary_name(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    let formats = [
        ("a picture", &["png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "ico"][..]),
        ("an Office document", &["docx", "xlsx", "xlsm", "xls", "pptx", "doc", "ppt", "odt", "ods", "odp"]),
        ("a PDF document", &["pdf"]),
        ("an archive", &["zip", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "tar", "whl", "jar"]),
        ("a binary data file", &["parquet", "feather", "arrow", "pkl", "pickle", "npy", "npz", "h5", "hdf5"]),
        ("a data base", &["db", "sqlite", "sqlite3", "duckdb"]),
        ("a recording", &["mp3", "wav", "ogg", "flac", "mp4", "avi", "mov", "mkv", "webm", "m4a"]),
        ("a model's weights", &["pt", "pth", "onnx", "safetensors"]),
    ];
    formats.into_iter().find_map(|(what, endings)| endings.contains(&ending.as_str()).then_some(what))
}

/// What a text is when it is read as base 64, where that is a format that is no text.
pub(super) fn hidden(text: &str) -> Option<&'static str> {
    use base64::Engine as _;
    let text = text.split_once(";base64,").map_or(text, |(_, data)| data).trim_start();
    let first: String = text.chars().filter(|char| !char.is_whitespace()).take(64).collect();
    if first.len() < 64 || !text.trim_end().bytes().all(is_base64) {
        return None;
    }
    let first = base64::engine::general_purpose::STANDARD.decode(first).ok()?;
    match first.as_slice() {
        [b'P', b'K', 3, 4, ..] => Some("a ZIP archive or an Office document"),
        [b'%', b'P', b'D', b'F', ..] => Some("a PDF document"),
        [0x1f, 0x8b, ..] => Some("a gzip archive"),
        [b'P', b'A', b'R', b'1', ..] => Some("a Parquet file"),
        first => picture(first).map(|_| "a picture"),
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte) || byte.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_it_begins_with() {
        assert_eq!(of("a.txt", b"\x89PNG\r\n\x1a\n..."), Sort::Picture("image/png"));
        assert_eq!(of("a.png", b"no picture"), Sort::Text("image/png".to_owned()));
        assert_eq!(of("a.csv", "ä,b".as_bytes()), Sort::Text("text/csv".to_owned()));
        assert_eq!(of("a", b"\0"), Sort::Binary("application/octet-stream".to_owned()));
        assert_eq!(of("a.pdf", b"%PDF-\xff\xfe"), Sort::Binary("application/pdf".to_owned()));
        assert_eq!(of("a", b""), Sort::Text("text/plain".to_owned()));
        let mut cut = vec![b'x'; LOOKED_AT - 1];
        cut.push(0xc3);
        assert_eq!(of("a", &cut), Sort::Text("text/plain".to_owned()));
        assert_eq!(of("a", b"abc\xc3"), Sort::Binary("application/octet-stream".to_owned()));
    }

    #[test]
    fn names_tell_of_formats_that_are_no_text() {
        assert_eq!(binary_name("a.PNG"), Some("a picture"));
        assert_eq!(binary_name("b/report.xlsx"), Some("an Office document"));
        for text in ["a.txt", "png", "a.svg", "a.json", "a.csv", "a.py", "data.b64"] {
            assert_eq!(binary_name(text), None, "{text}");
        }
    }

    #[test]
    fn base64_of_what_is_no_text_is_noticed() {
        use base64::Engine as _;
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        png.resize(100, 7);
        assert_eq!(hidden(&encode(&png)), Some("a picture"));
        assert_eq!(hidden(&format!("data:image/png;base64,{}", encode(&png))), Some("a picture"));
        assert_eq!(hidden(&encode(&[b'x'; 100])), None);
        assert_eq!(hidden("A short text"), None);
        assert_eq!(hidden(&"A text that is longer than it would have to be. ".repeat(4)), None);
    }
}
