//! What a call said and showed.

use bytes::Bytes;
use serde_json::Value;
use session::{Event, MimeBundle, MimeData};

use super::reply::{PICTURE, PICTURES, Reply};

/// What a chart is, as data.
const CHART: &str = "application/vnd.cellblock.chart+json";
/// What a table is, as data.
const TABLE: &str = "application/vnd.dataresource+json";
/// The most bytes of charts and tables together that are given.
const DATA: usize = 512 << 10;
/// The most of a table that is given as data, bytes: a model reads it beside its text, and can ask for more rows.
const ROWS: usize = 8 << 10;
/// The most pictures that are given.
const MOST_PICTURES: usize = 20;
/// The most bytes of them together.
const PICTURE_BYTES: usize = 16 << 20;

/// A picture that was shown.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    id: Option<String>,
    mime: &'static str,
    bytes: Bytes,
}

/// What a call said and showed.
#[derive(Debug, Default)]
pub(super) struct Collected {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// The value of the last expression.
    pub(super) result: Option<String>,
    /// Sentences of ours.
    pub(super) notices: Vec<String>,
    pictures: Vec<Picture>,
    charts: Vec<Value>,
    tables: Vec<Value>,
    /// How many bytes of charts and tables there are.
    data: usize,
    passed_over: usize,
}

impl Collected {
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Stdout(bytes) | Event::LateStdout(bytes) => self.stdout.extend_from_slice(&bytes),
            Event::Stderr(bytes) | Event::LateStderr(bytes) => self.stderr.extend_from_slice(&bytes),
            Event::Display(bundle) => {
                if let Some(text) = self.shown(&bundle) {
                    self.line(&text);
                }
            }
            Event::Result(bundle) => {
                if let Some(text) = self.shown(&bundle) {
                    self.result = Some(text);
                }
            }
            Event::Notice(sentence) => self.notices.push(sentence),
        }
    }

    pub(super) fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub(super) fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// What was displayed as text stands on lines of its own, as a notebook shows it.
    fn line(&mut self, text: &str) {
        if !self.stdout.is_empty() && !self.stdout.ends_with(b"\n") {
            self.stdout.push(b'\n');
        }
        self.stdout.extend_from_slice(text.as_bytes());
        self.stdout.push(b'\n');
    }

    /// Takes what a bundle shows; gives its text, if it is not a picture.
    fn shown(&mut self, bundle: &MimeBundle) -> Option<String> {
        if let Some(chart) = self.data_of(bundle, CHART) {
            self.charts.push(chart);
        }
        if let Some(mut table) = self.data_of(bundle, TABLE) {
            shorten(&mut table);
            self.tables.push(table);
        }
        let picture = PICTURES.iter().find_map(|mime| match bundle.get(mime)? {
            MimeData::Binary(bytes) => Some((*mime, bytes.clone())),
            MimeData::Text(_) | MimeData::Json(_) => None,
        });
        if let Some((mime, bytes)) = picture {
            self.picture(Picture { id: bundle.display_id.clone(), mime, bytes }, bundle.update);
            return None;
        }
        let forms = ["text/plain", "text/markdown", "text/latex", "text/html"];
        forms.iter().find_map(|mime| bundle.text(mime)).map(str::to_owned)
    }

    fn picture(&mut self, picture: Picture, update: bool) {
        let same = |earlier: &&mut Picture| update && earlier.id.is_some() && earlier.id == picture.id;
        if let Some(earlier) = self.pictures.iter_mut().rev().find(same) {
            *earlier = picture;
            return;
        }
        let held: usize = self.pictures.iter().map(|picture| picture.bytes.len()).sum();
        let fits = self.pictures.len() < MOST_PICTURES
            && held + picture.bytes.len() <= PICTURE_BYTES
            && picture.bytes.len() as u64 <= PICTURE;
        if fits { self.pictures.push(picture) } else { self.passed_over += 1 }
    }

    /// A form that is data, as long as there is room for it.
    fn data_of(&mut self, bundle: &MimeBundle, mime: &str) -> Option<Value> {
        let (value, size) = match bundle.get(mime)? {
            MimeData::Json(value) => (value.clone(), value.to_string().len()),
            MimeData::Text(text) if text.len() <= DATA => (serde_json::from_str(text).ok()?, text.len()),
            MimeData::Text(_) | MimeData::Binary(_) => return None,
        };
        if self.data + size > DATA {
            return None;
        }
        self.data += size;
        Some(value)
    }

    /// The pictures.
    pub(super) fn pictures(&self) -> Vec<Picture> {
        self.pictures.clone()
    }

    /// Puts these pictures and what there is as data into an answer.
    pub(super) fn show(self, pictures: Vec<Picture>, reply: &mut Reply) {
        for picture in pictures {
            reply.picture(&picture.bytes, picture.mime);
        }
        if self.passed_over > 0 {
            reply.say(format!(
                "{} more pictures were shown than one answer holds; save them to files and read those.",
                self.passed_over
            ));
        }
        for (name, values) in [("charts", self.charts), ("tables", self.tables)] {
            if !values.is_empty() {
                reply.set(name, values);
            }
        }
    }
}

/// Leaves out rows from the end of a table until it is short enough, and says how many are shown.
fn shorten(table: &mut Value) {
    let Some(rows) = table.get_mut("data").and_then(Value::as_array_mut) else { return };
    let mut length = 0;
    let fit = rows.iter().take_while(|row| {
        length += row.to_string().len();
        length <= ROWS
    });
    let shown = fit.count().max(1).min(rows.len());
    if shown < rows.len() {
        rows.truncate(shown);
        if let Some(Value::Object(counts)) = table.get_mut("cellblock") {
            counts.insert("shown".to_owned(), shown.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use session::MimeParts;

    fn bundle(data: Vec<(&str, MimeData)>, id: Option<&str>, update: bool) -> MimeBundle {
        let data = data.into_iter().map(|(mime, data)| (mime.to_owned(), data)).collect();
        MimeParts { data, display_id: id.map(str::to_owned), update, ..MimeParts::default() }.into()
    }

    fn png(bytes: &'static [u8]) -> (&'static str, MimeData) {
        ("image/png", MimeData::Binary(Bytes::from_static(bytes)))
    }

    #[test]
    fn a_long_table_is_shortened() {
        let row = json!({ "text": "x".repeat(1000) });
        let mut table = json!({ "data": vec![row; 20], "cellblock": { "rows": 500, "shown": 20 } });
        shorten(&mut table);
        assert_eq!(table["data"].as_array().unwrap().len(), 8);
        assert_eq!(table["cellblock"], json!({ "rows": 500, "shown": 8 }));
        let mut strange = json!({ "data": ["x".repeat(9000), 1], "cellblock": 3 });
        shorten(&mut strange);
        assert_eq!(strange["cellblock"], 3);
    }

    #[test]
    fn displays_stand_among_what_is_printed_and_the_value_apart() {
        let mut collected = Collected::default();
        collected.take(Event::Stdout(Bytes::from_static(b"begin")));
        let text = |text: &str| bundle(vec![("text/plain", MimeData::Text(text.to_owned()))], None, false);
        collected.take(Event::Display(text("shown")));
        collected.take(Event::Result(text("42")));
        assert_eq!(collected.stdout_text(), "begin\nshown\n");
        assert_eq!(collected.result.as_deref(), Some("42"));
    }

    #[test]
    fn a_display_that_is_updated_is_replaced() {
        let mut collected = Collected::default();
        collected.take(Event::Display(bundle(vec![png(b"1")], Some("a"), false)));
        collected.take(Event::Display(bundle(vec![png(b"2")], Some("a"), true)));
        collected.take(Event::Display(bundle(vec![png(b"3")], None, true)));
        let pictures: Vec<Bytes> = collected.pictures().into_iter().map(|picture| picture.bytes).collect();
        assert_eq!(pictures, [&b"2"[..], b"3"]);
    }

    #[test]
    fn pictures_and_data_are_bounded() {
        let mut collected = Collected::default();
        for _ in 0..MOST_PICTURES + 3 {
            collected.take(Event::Display(bundle(vec![png(b"1")], None, false)));
        }
        let large = MimeData::Json(json!("x".repeat(DATA / 2)));
        for _ in 0..4 {
            collected.take(Event::Result(bundle(vec![(TABLE, large.clone()), png(b"1")], None, false)));
        }
        assert_eq!((collected.pictures.len(), collected.passed_over), (MOST_PICTURES, 7));
        assert_eq!(collected.tables.len(), 1);
    }

    #[test]
    fn charts_are_data_beside_the_picture() {
        let mut collected = Collected::default();
        let chart = json!({ "type": "bar" });
        collected.take(Event::Display(bundle(
            vec![png(b"1"), (CHART, MimeData::Json(chart.clone()))],
            None,
            false,
        )));
        let pictures = collected.pictures();
        let mut reply = Reply::default();
        collected.show(pictures, &mut reply);
        let answer = serde_json::to_value(reply.answer("")).unwrap();
        assert_eq!(answer["structuredContent"]["charts"][0], chart);
        assert_eq!(answer["content"][0]["type"], "image");
    }
}
