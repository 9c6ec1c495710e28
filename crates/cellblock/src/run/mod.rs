//! `cellblock run`: one program in a fresh cell.
//!
//! It goes through the same engine as every session does; its kernel starts cold, which for one program is faster than
//! warming up a forkserver. Whatever ends it, Ctrl-C included, the session is stopped and nothing of it is left.

mod bring;
mod choose;
mod copy;
pub(crate) mod language;
mod left_out;
mod libraries;
mod missing;
mod modules;
mod program;
mod report;
pub(crate) mod save;
pub(crate) mod show;
mod signals;
mod specifiers;
pub(crate) mod status;
mod text;

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context;
use environment::Installed;
use session::{
    Call, Engine, EngineOptions, ExecuteRequest, Kernels, Limits, Network, Principal, Report, Resolver,
    Session, SessionOptions, TypeErrors, new_call_id,
};

use crate::cli::Run;
use crate::config::{Config, Given};
use crate::place::{Places, told};
use crate::printer::Printer;
use crate::progress::Saving;
use crate::{network, require};
use left_out::LeftOut;
use program::{Brought, Program};
use save::{Halt, Out, Saved};
use show::{Collected, Show};
pub(crate) use signals::{Signals, Stop, stopped};

/// How long threads may go on that nobody waits for.
const LINGER: Duration = Duration::from_secs(5);
/// How long saving may take once somebody has told this process to end: with the grace that the program has, that is
/// less than the 10 s that supervisors give.
const LAST_SAVING: Duration = Duration::from_secs(5);
/// Where files are saved if nothing else is said.
pub(crate) const OUT: &str = "cellblock-out";
/// The most files that are listed for a person.
const TOLD: usize = 20;

/// Runs the program; gives the exit status.
pub(crate) fn run(options: &Run, places: &Places, printer: Printer) -> anyhow::Result<u8> {
    let out = Out::new(options.out.as_deref().unwrap_or(Path::new(OUT)), options.limits.disk());
    if let Err(error) = out.check() {
        // Who names no place may want no files.
        if options.out.is_some() {
            return Err(error.into());
        }
        printer.warning(format_args!("files that the program makes cannot be saved: failed to {error}"));
        if !printer.is_quiet() {
            printer.hint("name a directory that you may write to with `--out DIR`");
        }
    }
    let [mode, allow, private] = options.network.given();
    let config = configured(&[mode, allow, private, options.language.given()])?;
    network::warn(&config, network::Use::Session, printer);
    require::check(&config, network::Use::Session)?;
    let program = Program::read(&options.program, &options.language)?;
    let program::Files { brought: files, warnings } = program.files(&options.files)?;
    for (warning, hint) in warnings {
        printer.warning(warning);
        if !printer.is_quiet() {
            printer.hint(hint);
        }
    }
    let environment = choose::environment_for(options, &program, &files, places, printer)?;
    // Not on one thread: printing may block, and the session must not.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (network, resolver) = (network::of(&config), network::resolver(&config)?);
    let made_of = MadeOf { environment, network, resolver, type_errors: language::type_errors(&config) };
    let status = runtime.block_on(in_cell(options, places, printer, &program, &files, &out, made_of));
    runtime.shutdown_timeout(LINGER);
    status
}

/// The keys about the network, security, TypeScript and workspaces; the others that a run has are options with variables
/// of their own.
pub(crate) fn configured(given: &[Given]) -> anyhow::Result<Config> {
    let ours = ["CELLBLOCK_NETWORK_", "CELLBLOCK_SECURITY_", "CELLBLOCK_TYPESCRIPT_", "CELLBLOCK_WORKSPACE_"];
    let variable = |name: &str| {
        let wanted = ours.iter().any(|prefix| name.starts_with(prefix));
        wanted.then(|| std::env::var(name).ok()).flatten()
    };
    Config::load(None, variable, given)
}

/// What `--json` tells of a program that did not run, or whose end is not known.
pub(crate) fn print_failure(status: u8, message: &str, hint: Option<String>) {
    let error = serde_json::json!({ "name": "cellblock", "value": message, "hint": hint });
    let told = serde_json::json!({ "outcome": null, "status": status, "message": message, "error": error });
    // It was said on standard error, too.
    let _ = io::stdout().write_all(format!("{told:#}\n").as_bytes());
}

/// What the cell is made of.
struct MadeOf {
    environment: Installed,
    network: Network,
    resolver: Resolver,
    type_errors: TypeErrors,
}

async fn in_cell(
    options: &Run,
    places: &Places,
    printer: Printer,
    program: &Program,
    files: &[Brought],
    out: &Out,
    MadeOf { environment, network, resolver, type_errors }: MadeOf,
) -> anyhow::Result<u8> {
    let mut signals = Signals::new()?;
    let engine = Engine::start(EngineOptions {
        data: places.data.clone(),
        environment: environment.root.clone(),
        kernels: Kernels::Cold,
        total_memory: None,
        resolver,
    })
    .await?;
    let limits = options.limits.of_calls(options.timeout);
    let wanted = SessionOptions { limits, network, type_errors, ..SessionOptions::default() };
    let opened = tokio::select! {
        opened = open(&engine, wanted, program, files, printer) => Ok(opened?),
        stop = signals.next() => Err(stop),
    };
    let status = match opened {
        Err(stop) => Ok(stopped(stop)),
        Ok((session, before)) => {
            let soft_limits = engine.soft_limits();
            let job = Job { options, printer, program, out, environment: &environment, limits, soft_limits };
            let status = job.run(&session, &before, &mut signals).await;
            session.stop().await.context("tidy up")?;
            status
        }
    };
    engine.shutdown().await;
    status
}

async fn open(
    engine: &Engine,
    wanted: SessionOptions,
    program: &Program,
    files: &[Brought],
    printer: Printer,
) -> anyhow::Result<(Session, save::Before)> {
    let session = engine.open(Principal::local(), wanted).await?;
    program.bring_in(&session, files).await?;
    if !files.is_empty() {
        printer.note(report::brought(files.iter().map(|file| told(&file.to)), files.len()));
    }
    let before = save::before(session.files().await?);
    Ok((session, before))
}

/// One program in its session.
struct Job<'a> {
    options: &'a Run,
    printer: Printer,
    program: &'a Program,
    out: &'a Out,
    environment: &'a Installed,
    limits: Limits,
    soft_limits: Vec<&'static str>,
}

impl Job<'_> {
    async fn run(
        &self,
        session: &Session,
        before: &save::Before,
        signals: &mut Signals,
    ) -> anyhow::Result<u8> {
        let mut show = if self.options.json {
            Show::collected(self.printer, self.out)
        } else {
            Show::live(self.printer, self.out)
        };
        let request = ExecuteRequest {
            timeout: Some(self.options.timeout),
            filename: Some(self.program.name.clone()),
            arguments: std::iter::once(&self.program.argument)
                .chain(&self.options.arguments)
                .cloned()
                .collect(),
            program: true,
            language: self.program.language,
            ..ExecuteRequest::new(new_call_id()?, self.program.source.clone())
        };
        let (mut report, stop) = self.watch(session, session.execute(request)?, &mut show, signals).await?;
        if let (Some(raised), false) = (&report.raised, self.options.json) {
            show.stderr(format!("{}\n", raised.traceback.trim_end()).as_bytes());
        }
        let (figures, mut collected) = show.finish();
        let (saved, mut left_out) = self.save(session, before, stop).await?;
        for (name, why) in collected.figures_lost.drain(..) {
            left_out.fail(name, why);
        }
        status::name_output(&mut report.outcome, &saved);
        let status = match stop {
            Some(stop @ (Stop::Terminate | Stop::BrokenPipe)) => stopped(stop),
            Some(Stop::Interrupt) | None => match status::status(&report) {
                0 if left_out.is_loss() => crate::OUR_FAILURE,
                status => status,
            },
        };
        if self.options.json {
            return self.print_json(status, &report, &collected, &figures, &saved, &left_out);
        }
        self.tell(&report, stop, &figures, &saved, &left_out);
        Ok(status)
    }

    /// Saves what the program made. Ctrl-C breaks it off, and whoever was told to end has only so much time for it.
    async fn save(
        &self,
        session: &Session,
        before: &save::Before,
        stop: Option<Stop>,
    ) -> anyhow::Result<(Vec<Saved>, LeftOut)> {
        let ends = stop == Some(Stop::Terminate);
        let halt = Halt { until: ends.then(|| Instant::now() + LAST_SAVING), ..Halt::default() };
        // Copying blocks this task, so another hears the signals meanwhile.
        let (mut signals, asked) = (Signals::new()?, halt.asked.clone());
        let heard = tokio::spawn(async move {
            signals.next().await;
            asked.store(true, Ordering::Relaxed);
        });
        let mut progress = Saving::new(self.printer);
        let saved = self.out.save(session, before, &halt, &mut progress).await;
        heard.abort();
        Ok(saved?)
    }

    /// Shows the program's output until it has ended, or somebody stops it.
    async fn watch(
        &self,
        session: &Session,
        mut call: Call,
        show: &mut Show<'_>,
        signals: &mut Signals,
    ) -> anyhow::Result<(Report, Option<Stop>)> {
        let mut stop = None;
        loop {
            let next = tokio::select! {
                event = call.next() => event,
                signal = signals.next() => {
                    if stop.is_none() {
                        stop = Some(signal);
                        session.interrupt(call.id());
                    } else {
                        let grace = self.limits.grace_ms / 1000;
                        self.printer.note(format_args!("it is being stopped; that takes {grace} s at most"));
                    }
                    continue;
                }
            };
            let Some(event) = next else { break };
            if show.event(event).is_err() && stop.is_none() {
                stop = Some(Stop::BrokenPipe);
                session.interrupt(call.id());
            }
        }
        Ok((call.report().await, stop))
    }

    fn tell(
        &self,
        report: &Report,
        stop: Option<Stop>,
        figures: &[Saved],
        saved: &[Saved],
        left_out: &LeftOut,
    ) {
        if stop.is_none_or(|stop| stop == Stop::Interrupt)
            && let Some((complaint, hint)) = status::complaint(report)
        {
            self.printer.error(complaint);
            if let Some(hint) = hint {
                self.printer.hint(hint);
            }
        }
        if let (Some(raised), Some(directory)) = (&report.raised, self.program.directory())
            && let Some(hint) = missing::hint(raised, directory)
        {
            self.printer.hint(hint);
        }
        if let Some(hint) = report.raised.as_ref().and_then(language::refused) {
            self.printer.hint(hint);
        }
        if stop == Some(Stop::Terminate) {
            self.printer.error("stopped: cellblock was told to end");
        }
        let directory = self.out.directory();
        let files = figures.len() + saved.len();
        if files > 0 {
            self.printer.note(format_args!("saved in {}:", told(directory)));
            for each in figures.iter().chain(saved).take(TOLD) {
                self.printer.plain(format_args!("  {}", report::line(each, directory)));
            }
            if files > TOLD {
                self.printer.plain(format_args!("  … and {} more, {files} files in all", files - TOLD));
            }
        }
        for (path, why) in left_out.failed.iter().take(TOLD) {
            self.printer.error(format_args!("`{}` was not saved: {why}", told(path)));
        }
        if left_out.failures > TOLD {
            let more = left_out.failures - TOLD;
            self.printer
                .error(format_args!("{more} more files were not saved, {} in all", left_out.failures));
        }
        for path in &left_out.closed.names {
            self.printer.error(format_args!(
                "what is in `{}` was not saved: it cannot be read, or lies too deep",
                told(path)
            ));
        }
        if left_out.cut {
            self.printer
                .error("the workspace has more than 100000 entries, and only so many were looked at: the rest was not saved");
            self.printer.hint("let the program pack many files into one (zip, tar)");
        }
        let left = left_out.told();
        if !left.is_empty() {
            self.printer.note("left in the cell:");
            for line in left {
                self.printer.plain(format_args!("  {line}"));
            }
        }
    }

    fn print_json(
        &self,
        status: u8,
        report: &Report,
        collected: &Collected,
        figures: &[Saved],
        saved: &[Saved],
        left_out: &LeftOut,
    ) -> anyhow::Result<u8> {
        let told = report::Told {
            status,
            report,
            collected,
            figures,
            saved,
            left_out,
            memory_limit: self.limits.memory,
            soft_limits: &self.soft_limits,
            environment: self.environment,
            language: self.program.language,
        };
        let text = serde_json::to_string_pretty(&told.json())? + "\n";
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(status),
            // As for a program: that nobody reads it is told by the status alone.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(stopped(Stop::BrokenPipe)),
            Err(error) => Err(error).context("write to standard output"),
        }
    }
}
