//! What a program gives while it runs: shown as it comes, or collected.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use session::{Event, MimeBundle, MimeData};

use super::save::{Out, Saved};
use crate::printer::Printer;
use crate::terminal::{Filter, Pictures};

/// Pictures, best form first, and what their files are called.
const PICTURES: [(&str, &str); 5] = [
    ("image/png", "png"),
    ("image/jpeg", "jpg"),
    ("image/gif", "gif"),
    ("image/svg+xml", "svg"),
    ("application/pdf", "pdf"),
];

/// Everything that a program gave, for `--json`.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) results: Vec<Value>,
    pub(crate) notices: Vec<String>,
    /// Figures that could not be saved, and why.
    pub(crate) figures_lost: Vec<(PathBuf, String)>,
}

/// Where output goes.
enum Sink {
    Terminal { stdout: Option<Filter>, stderr: Option<Filter>, pictures: Option<Pictures> },
    Collected(Collected),
}

/// Shows events.
pub(crate) struct Show<'a> {
    sink: Sink,
    printer: Printer,
    out: &'a Out,
    figures: Vec<Saved>,
    lost: Vec<(PathBuf, String)>,
    /// Which file a display that can be replaced is in.
    displays: BTreeMap<String, usize>,
}

impl<'a> Show<'a> {
    /// As it comes, on standard output and standard error.
    pub(crate) fn live(printer: Printer, out: &'a Out) -> Show<'a> {
        let stdout = io::stdout().is_terminal();
        let pictures = stdout.then(|| Pictures::of(|name| std::env::var(name).ok())).flatten();
        let filter = |terminal: bool| terminal.then(Filter::default);
        let sink =
            Sink::Terminal { stdout: filter(stdout), stderr: filter(io::stderr().is_terminal()), pictures };
        Show { sink, printer, out, figures: Vec::new(), lost: Vec::new(), displays: BTreeMap::new() }
    }

    /// Collected.
    pub(crate) fn collected(printer: Printer, out: &'a Out) -> Show<'a> {
        let sink = Sink::Collected(Collected::default());
        Show { sink, printer, out, figures: Vec::new(), lost: Vec::new(), displays: BTreeMap::new() }
    }

    /// Shows one event. An error is one of standard output: nobody reads it any more.
    pub(crate) fn event(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Stdout(bytes) | Event::LateStdout(bytes) => self.stdout(&bytes),
            Event::Stderr(bytes) | Event::LateStderr(bytes) => {
                self.stderr(&bytes);
                Ok(())
            }
            Event::Display(bundle) => self.bundle("display", &bundle),
            Event::Result(bundle) => self.bundle("result", &bundle),
            Event::Notice(text) => {
                match &mut self.sink {
                    Sink::Terminal { .. } => self.printer.warning(&text),
                    Sink::Collected(collected) => collected.notices.push(text),
                }
                Ok(())
            }
        }
    }

    /// Shows a text of the program's on standard error: its traceback.
    pub(crate) fn stderr(&mut self, bytes: &[u8]) {
        match &mut self.sink {
            Sink::Collected(collected) => collected.stderr.extend_from_slice(bytes),
            Sink::Terminal { stderr, .. } => {
                let mut to = io::stderr().lock();
                // That nobody reads it is no reason to stop.
                let _ = match stderr {
                    Some(filter) => to.write_all(&filter.clean(bytes)),
                    None => to.write_all(bytes),
                };
            }
        }
    }

    fn stdout(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.sink {
            Sink::Collected(collected) => {
                collected.stdout.extend_from_slice(bytes);
                Ok(())
            }
            Sink::Terminal { stdout, .. } => match stdout {
                Some(filter) => write(&filter.clean(bytes)),
                None => write(bytes),
            },
        }
    }

    fn bundle(&mut self, kind: &str, bundle: &MimeBundle) -> io::Result<()> {
        let figure = self.picture(bundle);
        match &mut self.sink {
            Sink::Collected(collected) => {
                collected.results.push(described(kind, bundle, figure.map(|at| &self.figures[at])));
                Ok(())
            }
            Sink::Terminal { pictures: Some(pictures), .. } if figure.is_some() => {
                match bundle.get("image/png") {
                    Some(MimeData::Binary(png)) => write(&pictures.draw(png)),
                    _ => Ok(()),
                }
            }
            Sink::Terminal { .. } => match bundle.text("text/plain") {
                Some(text) if figure.is_none() => {
                    let text = format!("{}\n", text.trim_end_matches('\n'));
                    self.stdout(text.as_bytes())
                }
                _ => Ok(()),
            },
        }
    }

    /// Saves the best picture in a bundle; which of the figures it is.
    fn picture(&mut self, bundle: &MimeBundle) -> Option<usize> {
        let (extension, bytes) = best_picture(bundle)?;
        if bundle.update
            && let Some(&at) = bundle.display_id.as_ref().and_then(|id| self.displays.get(id))
            && std::fs::write(&self.figures[at].path, bytes).is_ok()
        {
            self.figures[at].bytes = bytes.len() as u64;
            return Some(at);
        }
        let name = format!("figure-{}.{extension}", self.figures.len() + 1);
        match self.out.bytes(&name, bytes) {
            Ok(saved) => self.figures.push(saved),
            Err(error) => {
                self.lost.push((PathBuf::from(name), error.to_string()));
                return None;
            }
        }
        let at = self.figures.len() - 1;
        if let Some(id) = &bundle.display_id {
            self.displays.insert(id.clone(), at);
        }
        Some(at)
    }

    /// The figures that were saved, and what was collected.
    pub(crate) fn finish(self) -> (Vec<Saved>, Collected) {
        let collected = match self.sink {
            Sink::Collected(collected) => collected,
            Sink::Terminal { .. } => Collected::default(),
        };
        (self.figures, Collected { figures_lost: self.lost, ..collected })
    }
}

/// The best picture in a bundle, and what its file's name ends with.
pub(crate) fn best_picture(bundle: &MimeBundle) -> Option<(&'static str, &[u8])> {
    PICTURES.iter().find_map(|(mime, extension)| match bundle.get(mime)? {
        MimeData::Binary(bytes) => Some((*extension, bytes.as_ref())),
        MimeData::Text(text) => Some((*extension, text.as_bytes())),
        MimeData::Json(_) => None,
    })
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// What was displayed, with pictures as the files that they are in.
fn described(kind: &str, bundle: &MimeBundle, figure: Option<&Saved>) -> Value {
    let mut data = Map::new();
    for (mime, form) in &bundle.data {
        match form {
            MimeData::Text(text) => data.insert(mime.clone(), Value::from(text.as_str())),
            MimeData::Json(value) => data.insert(mime.clone(), value.clone()),
            MimeData::Binary(_) => None,
        };
    }
    let figure = figure.map(|saved| saved.path.display().to_string());
    json!({ "kind": kind, "data": data, "figure": figure })
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::MimeParts;

    fn bundle(forms: &[(&str, MimeData)]) -> MimeBundle {
        let data = forms.iter().map(|(mime, data)| ((*mime).to_owned(), data.clone())).collect();
        MimeParts { data, ..MimeParts::default() }.into()
    }

    fn png(bytes: &'static [u8]) -> MimeData {
        MimeData::Binary(bytes.into())
    }

    #[test]
    fn figures_are_saved_in_their_best_form_and_replaced_when_they_are_updated() {
        let directory = tempfile::tempdir().unwrap();
        let out = Out::new(directory.path(), 1 << 20);
        let mut show = Show::collected(Printer::new(true), &out);
        let svg = MimeData::Text("<svg/>".to_owned());
        show.event(Event::Display(bundle(&[("image/svg+xml", svg.clone()), ("image/png", png(b"1"))])))
            .unwrap();
        show.event(Event::Display(bundle(&[("image/svg+xml", svg)]))).unwrap();
        let named = |bytes, update| {
            let data = bundle(&[("image/png", png(bytes))]).data.clone();
            let display_id = Some("d".to_owned());
            MimeBundle::from(MimeParts { data, display_id, update, ..MimeParts::default() })
        };
        show.event(Event::Display(named(b"old", false))).unwrap();
        show.event(Event::Display(named(b"new", true))).unwrap();
        let (figures, collected) = show.finish();
        let names: Vec<_> =
            figures.iter().map(|figure| figure.path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["figure-1.png", "figure-2.svg", "figure-3.png"]);
        assert_eq!(std::fs::read(&figures[2].path).unwrap(), b"new");
        assert_eq!(collected.results.len(), 4);
        assert_eq!(collected.results[0]["data"]["image/svg+xml"], "<svg/>");
        assert_eq!(collected.results[0]["figure"], figures[0].path.display().to_string());
    }

    #[test]
    fn output_is_collected_apart() {
        let directory = tempfile::tempdir().unwrap();
        let out = Out::new(directory.path(), 1 << 20);
        let mut show = Show::collected(Printer::new(true), &out);
        show.event(Event::Stdout("a".into())).unwrap();
        show.event(Event::Stderr("b".into())).unwrap();
        show.event(Event::Notice("c".to_owned())).unwrap();
        show.event(Event::Result(bundle(&[("text/plain", MimeData::Text("42".to_owned()))]))).unwrap();
        let (figures, collected) = show.finish();
        assert!(figures.is_empty());
        assert_eq!((collected.stdout, collected.stderr), (b"a".to_vec(), b"b".to_vec()));
        assert_eq!(collected.notices, ["c"]);
        assert_eq!(
            collected.results[0],
            json!({"kind": "result", "data": {"text/plain": "42"}, "figure": null})
        );
    }
}
