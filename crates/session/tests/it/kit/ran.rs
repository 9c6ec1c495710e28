//! A call that has ended, with all that came of it.

use session::{Call, Event, MimeBundle, MimeData, Outcome, Report, Survival};

use super::within;

/// A call that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) events: Vec<Event>,
    pub(crate) report: Report,
}

impl Ran {
    /// Waits for a call's end.
    pub(crate) async fn of(call: Call) -> Ran {
        let (events, report) = within("end a call", call.collect()).await;
        Ran { events, report }
    }

    /// The same, if it ran to its end.
    #[track_caller]
    pub(crate) fn ok(self) -> Ran {
        assert_eq!(self.report.outcome, Outcome::Ok, "{self:?}");
        assert_eq!(self.report.variables, Survival::Kept);
        self
    }

    /// The name and the message of the exception that it raised.
    #[track_caller]
    pub(crate) fn raised(&self) -> (&str, &str) {
        let raised = self.report.raised.as_ref().unwrap_or_else(|| panic!("nothing raised: {self:?}"));
        (&raised.name, &raised.value)
    }

    /// All that it wrote to standard output.
    pub(crate) fn stdout(&self) -> String {
        text(&self.each(|event| if let Event::Stdout(bytes) = event { Some(bytes) } else { None }))
    }

    /// All that it wrote to standard error.
    pub(crate) fn stderr(&self) -> String {
        text(&self.each(|event| if let Event::Stderr(bytes) = event { Some(bytes) } else { None }))
    }

    /// What was written to standard output by what earlier calls left running.
    pub(crate) fn late_stdout(&self) -> String {
        text(&self.each(|event| if let Event::LateStdout(bytes) = event { Some(bytes) } else { None }))
    }

    fn each<'a, T>(&'a self, choose: impl Fn(&'a Event) -> Option<T>) -> Vec<T> {
        self.events.iter().filter_map(choose).collect()
    }

    /// Our sentences.
    pub(crate) fn notices(&self) -> Vec<&str> {
        self.each(|event| if let Event::Notice(text) = event { Some(text.as_str()) } else { None })
    }

    /// The value of the last expression.
    pub(crate) fn result(&self) -> Option<&MimeBundle> {
        self.each(|event| if let Event::Result(bundle) = event { Some(bundle) } else { None }).pop()
    }

    /// The value of the last expression, as text.
    pub(crate) fn value(&self) -> Option<&str> {
        self.result()?.text("text/plain")
    }

    /// What it displayed.
    pub(crate) fn displays(&self) -> Vec<&MimeBundle> {
        self.each(|event| if let Event::Display(bundle) = event { Some(bundle) } else { None })
    }

    /// The widths and heights of the pictures that it displayed, from their own headers.
    pub(crate) fn pictures(&self) -> Vec<(u32, u32)> {
        self.displays().into_iter().filter_map(|bundle| bundle.get("image/png")).map(png_size).collect()
    }

    /// Waits for the next report that the variables of earlier calls are gone, in words.
    #[track_caller]
    pub(crate) fn says_lost(&self, why: &str) {
        let said = self.notices().join("\n");
        assert!(said.contains("variables of earlier calls are gone, files are kept"), "{self:?}");
        assert!(said.contains(why), "{said}");
        assert!(self.report.fresh_kernel);
    }
}

fn text(pieces: &[&bytes::Bytes]) -> String {
    String::from_utf8_lossy(&pieces.iter().copied().flatten().copied().collect::<Vec<u8>>()).into_owned()
}

#[track_caller]
fn png_size(picture: &MimeData) -> (u32, u32) {
    let MimeData::Binary(bytes) = picture else { panic!("not bytes: {picture:?}") };
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{bytes:?}");
    assert_eq!(&bytes[12..16], b"IHDR");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

/// Waits until a call that runs has written this.
pub(crate) async fn next_stdout(call: &mut Call, text: &str) {
    let mut said = String::new();
    while !said.contains(text) {
        match within("hear from a call", call.next()).await {
            Some(Event::Stdout(bytes)) => said.push_str(&String::from_utf8_lossy(&bytes)),
            Some(_) => {}
            None => panic!("it ended, and said only {said:?}"),
        }
    }
}
