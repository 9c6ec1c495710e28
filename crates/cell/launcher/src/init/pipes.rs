//! What a kernel or a command writes to its standard output and error.

use std::io;
use std::os::fd::OwnedFd;

use protocol::Kind;
use sys::ready::{self, Incoming};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    const BOTH: [Stream; 2] = [Stream::Stdout, Stream::Stderr];

    fn kind(self) -> Kind {
        match self {
            Stream::Stdout => Kind::Stdout,
            Stream::Stderr => Kind::Stderr,
        }
    }
}

/// Init's ends of both pipes, until their other ends are closed.
#[derive(Debug)]
pub(super) struct Pipes {
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
}

impl Pipes {
    /// Two pipes, and the ends to write to.
    pub(super) fn new() -> io::Result<(Pipes, [OwnedFd; 2])> {
        let (stdout, to_stdout) = ready::output_pipe()?;
        let (stderr, to_stderr) = ready::output_pipe()?;
        Ok((Pipes { stdout: Some(stdout), stderr: Some(stderr) }, [to_stdout, to_stderr]))
    }

    /// The ends to read from, as far as their other ends are open.
    pub(super) fn open(&self) -> impl Iterator<Item = (Stream, &OwnedFd)> {
        Stream::BOTH.into_iter().filter_map(|stream| Some((stream, self.get(stream)?)))
    }

    fn get(&self, stream: Stream) -> Option<&OwnedFd> {
        match stream {
            Stream::Stdout => self.stdout.as_ref(),
            Stream::Stderr => self.stderr.as_ref(),
        }
    }

    fn close(&mut self, stream: Stream) {
        match stream {
            Stream::Stdout => self.stdout = None,
            Stream::Stderr => self.stderr = None,
        }
    }

    /// Reads once and hands over what was there; says how much.
    pub(super) fn read(
        &mut self,
        stream: Stream,
        scratch: &mut [u8],
        sink: &mut impl FnMut(Kind, Vec<u8>),
    ) -> usize {
        let Some(pipe) = self.get(stream) else { return 0 };
        match ready::read(pipe, scratch) {
            Ok(Incoming::Bytes(len)) => {
                sink(stream.kind(), scratch[..len].to_vec());
                len
            }
            Ok(Incoming::Nothing) => 0,
            Ok(Incoming::End) | Err(_) => {
                self.close(stream);
                0
            }
        }
    }

    /// Hands over what is in both pipes now. What somebody goes on writing meanwhile is left, so this comes to an end
    /// after at most what two pipes hold.
    pub(super) fn drain(&mut self, scratch: &mut [u8], mut sink: impl FnMut(Kind, Vec<u8>)) {
        for stream in Stream::BOTH {
            let mut left = self.get(stream).and_then(|pipe| ready::waiting(pipe).ok()).unwrap_or(0);
            while left > 0 {
                let len = left.min(scratch.len());
                match self.read(stream, &mut scratch[..len], &mut sink) {
                    0 => break,
                    read => left -= read,
                }
            }
        }
    }
}
