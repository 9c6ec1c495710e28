//! The kernels' own package, forked.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use cell::Cell;
use forkserver::{Forkserver, Target, WarmSet};
use protocol::{CallId, Decoder, Frame, Kind, Sender};

use crate::kit::{Bench, ends};

/// A kernel that the test speaks to as init would.
pub(crate) struct Real {
    socket: UnixStream,
    decoder: Decoder,
}

/// Puts a kernel into a cell; it is not ready yet.
pub(crate) fn enter(forkserver: &Forkserver, cell: &Cell, cgroups: &[OwnedFd]) -> Real {
    let (ours, theirs) = ends();
    let target = Target { init: cell.init(), cgroups };
    forkserver.fork(target, theirs, cell.confinement(), &cell.variables()).unwrap();
    Real { socket: ours.socket, decoder: Decoder::new(&[Sender::Kernel]) }
}

fn fork(forkserver: &Forkserver, cell: &Cell) -> Real {
    Real::ready(enter(forkserver, cell, &cell.cgroups().unwrap()))
}

impl Real {
    /// The same, when it has said that it is ready.
    pub(crate) fn ready(mut self) -> Real {
        assert_eq!(self.frame().kind, Kind::Ready);
        self
    }

    fn frame(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return frame;
            }
            let mut buffer = [0; 4096];
            let len = self.socket.read(&mut buffer).unwrap();
            assert!(len > 0, "the kernel is gone");
            self.decoder.feed(&buffer[..len]);
        }
    }

    /// What the code prints.
    pub(crate) fn run(&mut self, code: &str) -> String {
        // For what these tests run, Rust's notation of a string is JSON's.
        let payload = format!("{{\"code\": {code:?}}}");
        self.socket.write_all(&Frame::new(Kind::Run, payload).call(CallId(1)).encode()).unwrap();
        let mut said = Vec::new();
        loop {
            let frame = self.frame();
            match frame.kind {
                Kind::Stdout => said.extend_from_slice(&frame.payload),
                Kind::Done => break,
                _ => {}
            }
        }
        String::from_utf8(said).unwrap().trim_end().to_owned()
    }
}

#[test]
fn kernels_of_one_forkserver_have_nothing_random_in_common() {
    const SOURCES: &str = "
import random, secrets, ssl, tempfile, uuid
import numpy as np
from multiprocessing import current_process
print(random.random(), random.SystemRandom().random(), np.random.rand(), np.random.default_rng().random(),
      uuid.uuid4(), uuid.uuid1(), secrets.token_hex(8), ssl.RAND_bytes(8).hex(),
      next(tempfile._get_candidate_names()), bytes(current_process().authkey).hex())";
    const COUNT: usize = 20;
    let Some(bench) = Bench::real() else { return };
    let forkserver = bench.forkserver(WarmSet::Data);
    let cells: Vec<Cell> = (0..COUNT).map(|_| bench.cell()).collect();
    let drawn: Vec<Vec<String>> = cells
        .iter()
        .map(|cell| {
            let said = fork(&forkserver, cell).run(SOURCES.trim());
            said.split_whitespace().map(str::to_owned).collect()
        })
        .collect();
    assert_eq!(drawn[0].len(), 10, "{:?}", drawn[0]);
    for source in 0..drawn[0].len() {
        let values: HashSet<&str> = drawn.iter().map(|values| &*values[source]).collect();
        assert_eq!(values.len(), COUNT, "source {source}: {values:?}");
    }
}

#[test]
fn what_is_warm_need_not_be_imported() {
    let Some(bench) = Bench::real() else { return };
    for (warm_set, expected) in
        [(WarmSet::Bare, &["json"][..]), (WarmSet::Data, &["numpy", "pandas", "matplotlib"])]
    {
        let forkserver = bench.forkserver(warm_set);
        let warm = forkserver.wait_ready(std::time::Duration::ZERO).unwrap();
        assert!(warm.version.starts_with("3."), "{}", warm.version);
        assert!(warm.memory > 5 << 20, "{}", warm.memory);
        for module in expected {
            assert!(
                warm.modules.iter().any(|warm| warm == module),
                "{module} is not among {:?}",
                warm.modules
            );
        }
        let cell = bench.cell();
        let mut kernel = fork(&forkserver, &cell);
        let code = format!("import sys; print([name in sys.modules for name in {expected:?}])");
        let all = vec!["True"; expected.len()].join(", ");
        assert_eq!(kernel.run(&code), format!("[{all}]"));
        assert_eq!(kernel.run("x = 20"), "");
        assert_eq!(kernel.run("print(x + 1)"), "21");
    }
}
