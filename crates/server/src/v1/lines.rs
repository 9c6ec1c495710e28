//! Events and reports as JSON, one object a line: the wire of `/v1`, and what `cellblock shell --json` prints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use session::{Event, MimeBundle, MimeData, Report, Survival};

/// Turns a call's events into JSON, in order: a character whose bytes come in two pieces stays one character.
#[derive(Debug, Default)]
pub struct Lines {
    stdout: Partial,
    stderr: Partial,
}

impl Lines {
    /// An event; none, if it is less than a character.
    pub fn event(&mut self, event: &Event) -> Option<Value> {
        match event {
            Event::Stdout(bytes) => output("stdout", self.stdout.text(bytes)?, false),
            Event::Stderr(bytes) => output("stderr", self.stderr.text(bytes)?, false),
            Event::LateStdout(bytes) => output("stdout", self.stdout.text(bytes)?, true),
            Event::LateStderr(bytes) => output("stderr", self.stderr.text(bytes)?, true),
            Event::Display(bundle) => displayed("display", bundle),
            Event::Result(bundle) => displayed("result", bundle),
            Event::Notice(text) => json!({ "type": "notice", "text": text }),
        }
        .into()
    }

    /// What is left of characters that never came to their end.
    pub fn rest(&mut self) -> Vec<Value> {
        let rest = [("stdout", self.stdout.rest()), ("stderr", self.stderr.rest())];
        rest.into_iter().filter_map(|(stream, text)| Some(output(stream, text?, false))).collect()
    }
}

fn output(stream: &str, text: String, late: bool) -> Value {
    let mut told = json!({ "type": stream, "text": text });
    if late {
        told["late"] = true.into();
    }
    told
}

fn displayed(kind: &str, bundle: &MimeBundle) -> Value {
    let form = |(mime, data): &(String, MimeData)| {
        let value = match data {
            MimeData::Text(text) => Value::from(text.as_str()),
            MimeData::Json(value) => value.clone(),
            MimeData::Binary(bytes) => Value::from(STANDARD.encode(bytes)),
        };
        (mime.clone(), value)
    };
    let data: Map<String, Value> = bundle.data.iter().map(form).collect();
    let mut told = json!({ "type": kind, "data": data, "metadata": bundle.metadata });
    if let Some(id) = &bundle.display_id {
        told["display_id"] = id.as_str().into();
        told["update"] = bundle.update.into();
    }
    told
}

/// How a call ended.
pub fn report(report: &Report) -> Value {
    let error = report
        .raised
        .as_ref()
        .map(|raised| json!({ "name": raised.name, "value": raised.value, "traceback": raised.traceback }));
    json!({
        "type": "report",
        "call": report.call.to_string(),
        "outcome": report.outcome.name(),
        "message": report.outcome.to_string(),
        "variables_kept": report.variables == Survival::Kept,
        "fresh_interpreter": report.fresh_kernel,
        "error": error,
        "exit_status": report.exit_status,
        "execution_count": report.execution_count,
        "seconds": report.elapsed.as_secs_f64(),
        "cpu_seconds": report.cpu.map(|cpu| cpu.as_secs_f64()),
        "memory_peak_bytes": report.memory_peak,
        "output_bytes": report.written,
    })
}

/// The bytes of a character that is not whole yet.
#[derive(Debug, Default)]
struct Partial(Vec<u8>);

impl Partial {
    /// What is known so far, as text; what is no UTF-8 is replaced.
    fn text(&mut self, bytes: &[u8]) -> Option<String> {
        self.0.extend_from_slice(bytes);
        let last = self.0.utf8_chunks().last().map_or(0, |chunk| match chunk.invalid() {
            invalid if std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none()) => {
                invalid.len()
            }
            _ => 0,
        });
        let rest = self.0.split_off(self.0.len() - last);
        let whole = std::mem::replace(&mut self.0, rest);
        (!whole.is_empty()).then(|| String::from_utf8_lossy(&whole).into_owned())
    }

    fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.0);
        (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::MimeParts;

    #[test]
    fn characters_stay_whole() {
        let text = "aü漢🙂";
        let mut lines = Lines::default();
        let pieces = text.bytes().filter_map(|byte| lines.event(&Event::Stdout(vec![byte].into())));
        let told: String = pieces.map(|told| told["text"].as_str().unwrap().to_owned()).collect();
        assert_eq!(told, text);
        assert!(lines.rest().is_empty());
        assert_eq!(
            lines.event(&Event::Stderr((&b"a\xffb\xe6\xbc"[..]).into())),
            Some(json!({ "type": "stderr", "text": "a\u{fffd}b" }))
        );
        assert_eq!(lines.rest(), [json!({ "type": "stderr", "text": "\u{fffd}" })]);
    }

    #[test]
    fn what_is_displayed_has_all_its_forms() {
        let data = vec![
            ("text/plain".to_owned(), MimeData::Text("x".to_owned())),
            ("image/png".to_owned(), MimeData::Binary((&b"abc"[..]).into())),
            ("application/json".to_owned(), MimeData::Json(json!([1]))),
        ];
        let bundle =
            MimeParts { data, display_id: Some("d".to_owned()), update: true, ..MimeParts::default() };
        assert_eq!(
            Lines::default().event(&Event::Display(bundle.into())),
            Some(json!({
                "type": "display",
                "data": { "text/plain": "x", "image/png": "YWJj", "application/json": [1] },
                "metadata": null,
                "display_id": "d",
                "update": true,
            }))
        );
    }
}
