//! What a call gives, in a terminal: output as it comes, values with their number, tables that fit, pictures.

use std::io::{self, Write};

use session::{Event, MimeBundle, MimeData, Raised};

use super::colour;
use super::table::{RESOURCE, Table};
use crate::place::told;
use crate::printer::Printer;
use crate::run::save::Out;
use crate::run::show::best_picture;
use crate::terminal::{Filter, Pictures};

/// Where nobody tells how wide it is.
const WIDTH: usize = 80;

/// Shows the events of calls.
pub(crate) struct Show<'a> {
    printer: Printer,
    out: &'a Out,
    colours: bool,
    pictures: Option<Pictures>,
    stdout: Filter,
    stderr: Filter,
    late: Filter,
    figures: usize,
    /// Whether the cursor stands at the beginning of a line.
    fresh: bool,
}

impl<'a> Show<'a> {
    /// In the terminal that standard output is.
    pub(crate) fn new(printer: Printer, out: &'a Out) -> Show<'a> {
        Show {
            printer,
            out,
            colours: colour::wanted(),
            pictures: Pictures::of(|name| std::env::var(name).ok()),
            stdout: Filter::default(),
            stderr: Filter::default(),
            late: Filter::default(),
            figures: 0,
            fresh: true,
        }
    }

    /// Shows one event of the call of this number. An error is one of the terminal: nobody reads it any more.
    pub(crate) fn event(&mut self, event: Event, number: u64) -> io::Result<()> {
        match event {
            Event::Stdout(bytes) | Event::LateStdout(bytes) => {
                let clean = self.stdout.clean(&bytes);
                self.write(&clean)
            }
            // A terminal is one place: both go to it in the order in which they came.
            Event::Stderr(bytes) | Event::LateStderr(bytes) => {
                let clean = self.stderr.clean(&bytes);
                self.write(&clean)
            }
            Event::Display(bundle) => self.bundle(&bundle, None),
            Event::Result(bundle) => self.bundle(&bundle, Some(number)),
            Event::Notice(text) => {
                self.line()?;
                self.printer.warning(clean(&text));
                Ok(())
            }
        }
    }

    /// What is to be shown of what came late, as a text.
    pub(crate) fn late(&mut self, events: Vec<Event>) -> String {
        let mut text = Vec::new();
        for event in events {
            match event {
                Event::Stdout(bytes)
                | Event::LateStdout(bytes)
                | Event::Stderr(bytes)
                | Event::LateStderr(bytes) => text.extend(self.late.clean(&bytes)),
                Event::Display(bundle) | Event::Result(bundle) => {
                    let shown = match best_picture(&bundle) {
                        Some((extension, bytes)) => self.keep(extension, bytes).unwrap_or_else(|error| error),
                        None => bundle.text("text/plain").map(clean).unwrap_or_default(),
                    };
                    text.extend(shown.into_bytes());
                    text.push(b'\n');
                }
                Event::Notice(said) => text.extend(format!("{}\n", clean(&said)).into_bytes()),
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Shows a traceback.
    pub(crate) fn raised(&mut self, raised: &Raised) -> io::Result<()> {
        self.line()?;
        let text = clean(raised.traceback.trim_end());
        let text = if self.colours { colour::traceback(&text) } else { text + "\n" };
        self.write(text.as_bytes())
    }

    /// Begins a new line, if the last one has something in it.
    pub(crate) fn line(&mut self) -> io::Result<()> {
        // What was begun and never ended does not swallow what comes now.
        (self.stdout, self.stderr) = (Filter::default(), Filter::default());
        if self.fresh { Ok(()) } else { self.write(b"\n") }
    }

    fn bundle(&mut self, bundle: &MimeBundle, number: Option<u64>) -> io::Result<()> {
        self.line()?;
        if let Some((extension, bytes)) = best_picture(bundle) {
            if let (Some(pictures), Some(MimeData::Binary(png))) = (self.pictures, bundle.get("image/png")) {
                return self.write(&pictures.draw(png));
            }
            self.save(extension, bytes);
            return Ok(());
        }
        let text = bundle.text("text/plain").map(clean).unwrap_or_default();
        let width = sys::terminal::size(io::stdout()).map_or(WIDTH, |(columns, _)| usize::from(columns));
        let table = match bundle.get(RESOURCE) {
            Some(MimeData::Json(resource)) if !fits(&text, width) => Table::of(resource),
            _ => None,
        };
        let text = table.map_or(text, |table| table.lines(width).join("\n"));
        if text.is_empty() {
            return Ok(());
        }
        let prompt = number.map(|number| {
            let prompt = format!("Out[{number}]: ");
            let prompt = if self.colours { colour::styled(colour::OUT, &prompt) } else { prompt };
            // Lines that belong together begin below each other.
            if text.contains('\n') { prompt.replace(": ", ":") + "\n" } else { prompt }
        });
        self.write(format!("{}{}\n", prompt.unwrap_or_default(), text.trim_end_matches('\n')).as_bytes())
    }

    fn save(&mut self, extension: &str, bytes: &[u8]) {
        match self.keep(extension, bytes) {
            Ok(said) => self.printer.note(said),
            Err(said) => self.printer.error(said),
        }
    }

    /// Saves a figure; says where, or why not.
    fn keep(&mut self, extension: &str, bytes: &[u8]) -> Result<String, String> {
        self.figures += 1;
        match self.out.bytes(&format!("figure-{}.{extension}", self.figures), bytes) {
            Ok(saved) => Ok(format!("figure saved: {}", told(&saved.path))),
            Err(error) => Err(format!("the figure was not saved: {error}")),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(last) = bytes.last() {
            self.fresh = *last == b'\n';
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()
    }
}

/// A text of the cell's that a terminal may have.
fn clean(text: &str) -> String {
    String::from_utf8_lossy(&Filter::default().clean(text.as_bytes())).into_owned()
}

/// Whether a table as a text can be read at this width: no line of it is broken, by the terminal or by pandas.
fn fits(text: &str, width: usize) -> bool {
    use unicode_width::UnicodeWidthStr;
    text.lines().all(|line| line.width() <= width && !line.ends_with('\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_broken_does_not_fit() {
        assert!(fits("   a  b\n0  1  2", 80));
        assert!(!fits("   a  b  \\\n0  1  2\n\n   c\n0  3", 80));
        assert!(!fits("   a  b\n0  1  2", 6));
    }

    #[test]
    fn texts_of_the_cell_cannot_draw() {
        assert_eq!(clean("a\x1b]0;title\x07b\x1b[31mc"), "ab\x1b[31mc");
    }
}
