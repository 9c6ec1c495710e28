//! What a kernel says in JSON. The kernel may be hostile: what does not fit is an error, never a panic.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::event::{MimeBundle, MimeData, MimeParts};

/// The most forms that one thing may have.
const FORMS: usize = 64;
/// The most JSON of one bundle that is read as values, bytes; what is larger stays a text.
const VALUES: usize = 256 << 10;
/// How many times the length of its text a value may take up in memory (`[[],[]]`).
const BLOAT: usize = 16;
/// What a bundle costs beside what is in it, bytes.
const OVERHEAD: usize = 1024;

/// How a kernel says that code ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// It ran to the end.
    Ok,
    /// It raised.
    Raised,
    /// It ended the interpreter.
    Exited,
}

/// A kernel's report of a call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Done {
    pub(crate) status: Status,
    #[serde(default)]
    pub(crate) execution_count: Option<u64>,
    #[serde(default)]
    pub(crate) cpu_seconds: Option<f64>,
    #[serde(default)]
    pub(crate) ename: Option<String>,
    #[serde(default)]
    pub(crate) evalue: Option<String>,
    #[serde(default)]
    pub(crate) traceback: Option<Traceback>,
    /// Whether the interrupt reached the code.
    #[serde(default)]
    pub(crate) interrupted: bool,
    /// Set if, and only if, the interpreter ends with this call.
    #[serde(default)]
    pub(crate) exit_status: Option<i32>,
    /// The name of the error number behind the exception, where it is one that limits cause.
    #[serde(default)]
    pub(crate) errno: Option<String>,
    /// Where one of the cell's file systems in memory was found full, if the error number is that of a full disk.
    #[serde(default)]
    pub(crate) full: Option<String>,
    /// Where the interpreter works at the end of the call.
    #[serde(default)]
    pub(crate) cwd: Option<String>,
}

impl Done {
    /// Whether the interpreter ends with this call.
    pub(crate) fn leaves(&self) -> bool {
        self.exit_status.is_some() || self.status == Status::Exited
    }
}

/// A traceback: one text, or its lines.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Traceback {
    Text(String),
    Lines(Vec<String>),
}

impl Traceback {
    /// Whether this stands in it.
    pub(crate) fn says(&self, words: &str) -> bool {
        match self {
            Traceback::Text(text) => text.contains(words),
            Traceback::Lines(lines) => lines.iter().any(|line| line.contains(words)),
        }
    }

    /// The traceback as one text.
    pub(crate) fn text(self) -> String {
        match self {
            Traceback::Text(text) => text,
            Traceback::Lines(lines) => lines.join("\n"),
        }
    }
}

#[derive(Deserialize)]
struct Shown {
    data: Forms,
    #[serde(default)]
    metadata: Option<Box<RawValue>>,
    #[serde(default)]
    display_id: Option<String>,
    #[serde(default)]
    update: bool,
}

/// The forms of one thing, not yet read.
struct Forms(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Forms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Forms, D::Error> {
        deserializer.deserialize_map(Count)
    }
}

struct Count;

impl<'de> Visitor<'de> for Count {
    type Value = Forms;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "at most {FORMS} forms by their MIME types")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Forms, M::Error> {
        let mut forms = Vec::new();
        while let Some(form) = map.next_entry()? {
            if forms.len() == FORMS {
                return Err(serde::de::Error::custom("too many forms"));
            }
            forms.push(form);
        }
        Ok(Forms(forms))
    }
}

/// Reads a kernel's report.
pub(crate) fn done(payload: &[u8]) -> Result<Done, serde_json::Error> {
    serde_json::from_slice(payload)
}

/// Reads what is displayed; gives what that costs, bytes of memory, more or less.
pub(crate) fn bundle(payload: &[u8]) -> Result<(MimeBundle, usize), serde_json::Error> {
    let shown: Shown = serde_json::from_slice(payload)?;
    let mut values = Values { left: VALUES };
    let mut data = Vec::with_capacity(shown.data.0.len());
    for (mime, raw) in shown.data.0 {
        let form = values.form(&mime, &raw)?;
        data.push((mime, form));
    }
    let metadata = match shown.metadata {
        Some(raw) if values.allow(&raw) => serde_json::from_str(raw.get())?,
        Some(_) | None => Value::Null,
    };
    let cost = OVERHEAD + payload.len() + (VALUES - values.left) * BLOAT;
    let parts = MimeParts { data, metadata, display_id: shown.display_id, update: shown.update };
    Ok((parts.into(), cost))
}

/// Reads values while they do not take up too much: a value costs many times its text.
struct Values {
    left: usize,
}

impl Values {
    fn allow(&mut self, raw: &RawValue) -> bool {
        let length = raw.get().len();
        let fits = length <= self.left;
        if fits {
            self.left -= length;
        }
        fits
    }

    fn form(&mut self, mime: &str, raw: &RawValue) -> Result<MimeData, serde_json::Error> {
        if raw.get().starts_with('"') {
            let text: String = serde_json::from_str(raw.get())?;
            let bytes = if is_binary(mime) { STANDARD.decode(text.trim_end()).ok() } else { None };
            return Ok(bytes.map_or(MimeData::Text(text), |bytes| MimeData::Binary(Bytes::from(bytes))));
        }
        if self.allow(raw) {
            return Ok(MimeData::Json(serde_json::from_str(raw.get())?));
        }
        Ok(MimeData::Text(raw.get().to_owned()))
    }
}

/// Whether this type's content is bytes, which JSON carries in base 64.
fn is_binary(mime: &str) -> bool {
    match mime.split_once('/') {
        Some(("image", kind)) => kind != "svg+xml",
        Some(("audio" | "video", _)) => true,
        _ => matches!(mime, "application/pdf" | "application/octet-stream"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_may_leave_out_what_is_not() {
        let report = done(br#"{"status":"ok"}"#).unwrap();
        assert_eq!((report.status, report.interrupted, report.errno), (Status::Ok, false, None));
        assert!(done(br#"{"status":"fine"}"#).is_err());
        assert!(done(b"[]").is_err());
        assert!(done(b"").is_err());
    }

    #[test]
    fn a_traceback_may_be_one_text_or_lines() {
        let text = |json: &[u8]| done(json).unwrap().traceback.unwrap().text();
        assert_eq!(text(br#"{"status":"raised","traceback":"a\nb"}"#), "a\nb");
        assert_eq!(text(br#"{"status":"raised","traceback":["a","b"]}"#), "a\nb");
    }

    #[test]
    fn pictures_are_bytes_and_the_rest_is_what_it_was() {
        let (bundle, cost) = bundle(
            br#"{"data":{"image/png":"iVBORw==\n","image/svg+xml":"<svg/>","text/plain":"1","application/json":{"a":1},
                "image/jpeg":"not base 64!"},"metadata":{"image/png":{"width":3}},"display_id":"d","update":true}"#,
        )
        .unwrap();
        assert!(cost > OVERHEAD);
        assert_eq!(bundle.get("image/png"), Some(&MimeData::Binary(Bytes::from_static(b"\x89PNG"))));
        assert_eq!(bundle.text("image/svg+xml"), Some("<svg/>"));
        assert_eq!(bundle.text("text/plain"), Some("1"));
        assert_eq!(bundle.get("application/json"), Some(&MimeData::Json(json!({"a": 1}))));
        assert_eq!(bundle.text("image/jpeg"), Some("not base 64!"));
        assert_eq!(bundle.metadata, json!({"image/png": {"width": 3}}));
        assert_eq!((bundle.display_id.as_deref(), bundle.update), (Some("d"), true));
    }

    #[test]
    fn what_would_bloat_stays_a_text() {
        let many = format!("[{}[]]", "[],".repeat(200_000));
        let payload =
            format!("{{\"data\":{{\"application/json\":{many},\"text/plain\":\"x\"}},\"metadata\":{many}}}");
        let (bundle, cost) = super::bundle(payload.as_bytes()).unwrap();
        assert_eq!(bundle.text("application/json"), Some(many.as_str()));
        assert_eq!(bundle.metadata, Value::Null);
        assert!(cost < 2 * payload.len());
        let small = br#"{"data":{"application/json":[[],[]]}}"#;
        assert!(super::bundle(small).unwrap().1 >= OVERHEAD + small.len() + 7 * BLOAT);
        let forms: Vec<String> = (0..=FORMS).map(|n| format!("\"{n}\":1")).collect();
        assert!(super::bundle(format!("{{\"data\":{{{}}}}}", forms.join(",")).as_bytes()).is_err());
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_crash() {
        let deep = format!("{{\"data\":{{\"application/json\":{}", "[".repeat(100_000));
        assert!(super::bundle(deep.as_bytes()).is_err());
    }
}
