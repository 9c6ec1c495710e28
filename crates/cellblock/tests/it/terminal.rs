//! A terminal with somebody who types.

use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::bench::Bench;

/// How long somebody looks at a terminal before giving up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program in a terminal of 80 columns.
pub(crate) struct Terminal {
    child: Child,
    keyboard: std::fs::File,
    said: Receiver<Vec<u8>>,
    /// Everything that was written to it.
    pub(crate) raw: Vec<u8>,
    /// How much of that somebody has read.
    read: usize,
}

impl Terminal {
    /// Starts `cellblock shell` in one.
    pub(crate) fn shell(bench: &Bench, arguments: &[&str]) -> Terminal {
        Terminal::with(bench, arguments, &[("TERM", "xterm-256color")])
    }

    /// The same, with these variables.
    pub(crate) fn with(bench: &Bench, arguments: &[&str], variables: &[(&str, &str)]) -> Terminal {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        tcsetwinsize(&ours, Winsize { ws_row: 40, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = || open(&*name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let given = bench.command(["shell"].iter().chain(arguments));
        // Ctrl-C is a signal only to those whose controlling terminal it is.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(given.get_program()).args(given.get_args());
        command.current_dir(given.get_current_dir().unwrap()).env_clear();
        command.envs(given.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.envs(variables.iter().copied());
        command.stdin(theirs()).stdout(theirs()).stderr(theirs());
        let child = command.spawn().expect("setsid, of util-linux");
        drop(command);
        let keyboard = std::fs::File::from(ours);
        let mut screen = keyboard.try_clone().unwrap();
        let (say, said) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // At the end of the program there is an error, not an end.
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                if say.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal { child, keyboard, said, raw: Vec::new(), read: 0 }
    }

    /// Types keys.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the prompt of this number, and enters a line there. Gives what was read on the way.
    pub(crate) fn enter(&mut self, number: u64, line: &str) -> String {
        let before = self.until(&format!("In [{number}]: "));
        self.keys(&format!("{line}\r"));
        before
    }

    /// Reads until this text is there; gives everything up to its end, without colours and the cursor's moves.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let shown = shown(&self.raw[self.read..]);
            if let Some(at) = shown.find(text) {
                let end = at + text.len();
                // The rest is read again, from the last byte that cannot be in what was found.
                let length = self.raw.len() - self.read;
                let cut = (0..=length).find(|cut| {
                    let before = crate::terminal::shown(&self.raw[self.read..self.read + cut]);
                    before.len() >= end
                });
                self.read += cut.unwrap_or(length);
                return shown[..end].to_owned();
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            match self.said.recv_timeout(left) {
                Ok(bytes) => self.raw.extend_from_slice(&bytes),
                Err(error) => panic!("`{text}` never came ({error}): {shown}"),
            }
        }
    }

    /// Waits for the program's end: its status, and what it said last.
    #[track_caller]
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        loop {
            match self.said.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                Ok(bytes) => self.raw.extend_from_slice(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("it does not end: {}", shown(&self.raw[self.read..]))
                }
            }
        }
        let status = self.child.wait().unwrap();
        (status.code(), shown(&self.raw[self.read..]))
    }

    /// The program's process.
    pub(crate) fn child(&self) -> &Child {
        &self.child
    }

    /// Whether the terminal echoes what is typed, and gives it line by line: as it does outside of an editor.
    pub(crate) fn is_usual(&self) -> bool {
        let mode = tcgetattr(&self.keyboard).unwrap();
        mode.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves nobody behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was written, without the sequences that a terminal obeys.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\x1b' => {
                // `ESC [ … letter`; `ESC _ … ESC \` for a picture.
                match characters.next() {
                    Some('[') => while characters.next().is_some_and(|c| !c.is_ascii_alphabetic()) {},
                    Some('_') => while characters.next().is_some_and(|c| c != '\\') {},
                    _ => {}
                }
            }
            '\r' => {}
            character => shown.push(character),
        }
    }
    shown
}
