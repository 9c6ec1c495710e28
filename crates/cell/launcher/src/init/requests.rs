//! What the daemon asks for.

use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

use protocol::{CallId, CellState, FileRequest, Frame, KernelId, Kind, RefusedReason, Spawn};
use sys::spawn::Program;

use super::command::Command;
use super::files::{self, Start};
use super::link::{KernelEnds, Link};
use super::remembered::Known;
use super::{FAREWELL, Init};

/// Kernels at the same time. Each may hold init to two large frames.
const KERNELS: usize = 16;
/// Commands at the same time.
const COMMANDS: usize = 64;

/// Whether the connection is still good for something.
enum Served {
    Yes,
    /// The daemon said something that this version of init does not understand.
    Disconnect(String),
}

impl Init {
    /// Reads from the daemon once and does what it asks.
    pub(super) fn serve(&mut self, now: Instant) {
        if !self.relay.daemon.read(&mut self.scratch) {
            self.relay.lost(now);
            return;
        }
        loop {
            let served = match self.relay.daemon.next_frame() {
                Ok(None) => return,
                Ok(Some(frame)) => self.serve_frame(frame, now),
                Err(error) => Served::Disconnect(format!("failed to {error}")),
            };
            if let Served::Disconnect(sentence) = served {
                self.relay.daemon.complain(&sentence);
                self.relay.lost(now);
                return;
            }
        }
    }

    fn serve_frame(&mut self, frame: Frame, now: Instant) -> Served {
        let Frame { kind, kernel, call, payload } = frame;
        if kind == Kind::Hello {
            self.greet();
            return Served::Yes;
        }
        if !self.relay.daemon.is_greeted() {
            return Served::Disconnect(format!("the first frame is {kind:?} and not Hello"));
        }
        match kind {
            Kind::PrepareKernel => self.prepare_kernel(kernel),
            Kind::StartKernel => match program(&payload) {
                Ok(program) => self.start_kernel(kernel, &program),
                Err(served) => return served,
            },
            Kind::Execute => self.execute(kernel, call, payload),
            Kind::Interrupt => self.interrupt(kernel, call),
            Kind::KillKernel => match self.kernels.get_mut(&kernel) {
                Some(link) => link.kill(now),
                None => self.relay.refuse(kernel, call, RefusedReason::NoKernel, ""),
            },
            Kind::StartCommand => match program(&payload) {
                Ok(program) => self.start_command(kernel, call, &program),
                Err(served) => return served,
            },
            Kind::KillCommand => match (self.commands.get_mut(&call), self.relay.calls.known(call)) {
                (Some(command), _) => command.kill(now),
                // It has just ended, and that is what was asked for.
                (None, Known::Ended | Known::Forgotten) => {}
                (None, Known::New | Known::Running) => {
                    self.relay.refuse(kernel, call, RefusedReason::NoCall, "");
                }
            },
            Kind::File => match FileRequest::decode(&payload) {
                Ok(request) => self.file(kernel, call, request),
                Err(error) => return Served::Disconnect(format!("failed to {error}")),
            },
            Kind::Forget => self.relay.calls.forget(call),
            Kind::Shutdown => self.shutdown = Some(now + FAREWELL),
            Kind::Hello
            | Kind::State
            | Kind::KernelEnds
            | Kind::KernelReady
            | Kind::KernelExited
            | Kind::CommandExited
            | Kind::Refused
            | Kind::Broken
            | Kind::Dropped
            | Kind::SoftMemory
            | Kind::FileReply
            | Kind::Run
            | Kind::Cancel
            | Kind::Ready
            | Kind::Stdout
            | Kind::Stderr
            | Kind::Display
            | Kind::Result
            | Kind::Done => return Served::Disconnect(format!("{kind:?} is not for init")),
        }
        Served::Yes
    }

    /// Tells a connection what lives in the cell. Running calls are silent there until they are asked for.
    fn greet(&mut self) {
        self.relay.calls.detach_all();
        self.relay.daemon.greet();
        let state = CellState {
            kernels: self.kernels.values().map(Link::summary).collect(),
            commands: self.commands.keys().copied().collect(),
            ended: self.relay.calls.ended().collect(),
        };
        self.relay.tell(Kind::State, KernelId::NONE, CallId::NONE, state.encode());
    }

    /// Whether a kernel with this id could be made; the reason if not.
    fn can_make(&self, kernel: KernelId) -> Result<(), (RefusedReason, &'static str)> {
        if kernel == KernelId::NONE {
            Err((RefusedReason::NoKernel, "0 is no kernel's id"))
        } else if self.kernels.contains_key(&kernel) {
            Err((RefusedReason::Busy, "a kernel with this id is there already"))
        } else if self.kernels.len() >= KERNELS {
            Err((RefusedReason::SpawnFailed, "the cell has as many kernels as it can"))
        } else {
            Ok(())
        }
    }

    fn prepare_kernel(&mut self, kernel: KernelId) {
        if let Err((reason, detail)) = self.can_make(kernel) {
            self.relay.refuse(kernel, CallId::NONE, reason, detail);
            return;
        }
        match Link::new(kernel, self.starter.user) {
            Ok((link, KernelEnds(ends))) => {
                self.kernels.insert(kernel, link);
                self.relay.hand(Kind::KernelEnds, kernel, ends.into());
            }
            Err(error) => self.refuse_start(kernel, CallId::NONE, &error),
        }
    }

    fn start_kernel(&mut self, kernel: KernelId, program: &io::Result<Program>) {
        if let Err((reason, detail)) = self.can_make(kernel) {
            self.relay.refuse(kernel, CallId::NONE, reason, detail);
            return;
        }
        match started(program, |program| Link::start(kernel, program, &self.starter)) {
            Ok(link) => _ = self.kernels.insert(kernel, link),
            Err(error) => self.refuse_start(kernel, CallId::NONE, &error),
        }
    }

    fn start_command(&mut self, kernel: KernelId, call: CallId, program: &io::Result<Program>) {
        if self.answer_known(KernelId::NONE, call) {
            return;
        }
        if self.commands.len() >= COMMANDS {
            let detail = "the cell runs as many commands as it can";
            self.relay.refuse(KernelId::NONE, call, RefusedReason::SpawnFailed, detail);
            return;
        }
        let leader = self.kernels.get(&kernel).and_then(Link::leader);
        let directory = leader.and_then(|leader| files::directory_of(leader, self.starter.identity));
        let directory = directory.as_ref().map(AsFd::as_fd);
        match started(program, |program| Command::start(call, program, directory, &self.starter)) {
            Ok(command) => {
                self.relay.calls.begin(call, KernelId::NONE);
                self.commands.insert(call, command);
            }
            Err(error) => self.refuse_start(KernelId::NONE, call, &error),
        }
    }

    fn file(&mut self, kernel: KernelId, call: CallId, request: FileRequest) {
        let start = match kernel {
            KernelId::NONE => Start::Workspace,
            kernel => Start::Kernel(self.kernels.get(&kernel).and_then(Link::leader)),
        };
        let (reply, descriptor) = files::serve(request, start, self.starter.identity);
        self.relay.answer(Kind::FileReply, kernel, call, reply.encode(), descriptor);
    }

    fn refuse_start(&mut self, kernel: KernelId, call: CallId, error: &io::Error) {
        self.relay.refuse(kernel, call, RefusedReason::SpawnFailed, &error.to_string());
    }

    /// Answers a call that was sent before; says whether it was. No call runs twice.
    fn answer_known(&mut self, kernel: KernelId, call: CallId) -> bool {
        if call == CallId::NONE {
            self.relay.refuse(kernel, call, RefusedReason::NoCall, "0 is no call's id");
            return true;
        }
        match self.relay.calls.known(call) {
            Known::New => false,
            Known::Running | Known::Ended => {
                self.relay.replay(call);
                true
            }
            Known::Forgotten => {
                self.relay.refuse(kernel, call, RefusedReason::Forgotten, "");
                true
            }
        }
    }

    fn execute(&mut self, kernel: KernelId, call: CallId, payload: Vec<u8>) {
        if self.answer_known(kernel, call) {
            return;
        }
        let Some(link) = self.kernels.get_mut(&kernel) else {
            self.relay.refuse(kernel, call, RefusedReason::NoKernel, "");
            return;
        };
        match link.can_run() {
            Ok(()) => {
                self.relay.calls.begin(call, kernel);
                link.run(call, payload);
            }
            Err((reason, detail)) => self.relay.refuse(kernel, call, reason, detail),
        }
    }

    fn interrupt(&mut self, kernel: KernelId, call: CallId) {
        let interrupted = match (self.commands.get(&call), self.kernels.get_mut(&kernel)) {
            (Some(command), _) => {
                command.interrupt();
                true
            }
            (None, Some(link)) => link.interrupt(call),
            (None, None) => false,
        };
        // A call that ended meanwhile has told so itself, and one that is ending will.
        if !interrupted && self.relay.calls.known(call) == Known::New {
            self.relay.refuse(kernel, call, RefusedReason::NoCall, "");
        }
    }
}

/// Reads what to start. Texts that no program can be started with are the daemon's to hear of; a message that cannot be
/// read comes from another version.
fn program(payload: &[u8]) -> Result<io::Result<Program>, Served> {
    match Spawn::decode(payload) {
        Ok(Spawn { argv, env, cwd }) => Ok(Program::new(argv, env, cwd)),
        Err(error) => Err(Served::Disconnect(format!("failed to {error}"))),
    }
}

fn started<T>(program: &io::Result<Program>, start: impl FnOnce(&Program) -> io::Result<T>) -> io::Result<T> {
    match program {
        Ok(program) => start(program),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    }
}
