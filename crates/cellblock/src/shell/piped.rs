//! Code from standard input that is no terminal: all of it is one cell.

use std::io::{self, IsTerminal, Read, Write};

use super::kernel::Kernel;
use super::options::Shell;
use crate::hints::Hint;
use crate::printer::Printer;
use crate::run::save::Out;
use crate::run::show::Show;
use crate::run::{Signals, Stop, stopped};

/// The most code, bytes.
const LARGEST: u64 = 4 << 20;

/// Reads all of it.
pub(crate) fn read(from: impl Read) -> anyhow::Result<String> {
    let mut code = String::new();
    let what = "read code from standard input";
    from.take(LARGEST + 1)
        .read_to_string(&mut code)
        .map_err(|error| Hint::new(what, "code is UTF-8").because(error))?;
    if code.len() as u64 > LARGEST {
        let what = format!("{what}: it is larger than {} MiB", LARGEST >> 20);
        return Err(Hint::new(what, "a cell is no place for data").into());
    }
    Ok(code)
}

/// Runs it; gives the exit status.
pub(crate) async fn run(
    options: &Shell,
    kernel: &Kernel,
    code: &str,
    out: &Out,
    mut signals: Signals,
    printer: Printer,
) -> anyhow::Result<u8> {
    let mut call = kernel.execute(code, Some(options.timeout)).await?;
    let mut show = Show::live(printer, out);
    let (mut lines, mut stop) = (server::lines::Lines::default(), None);
    loop {
        let next = tokio::select! {
            event = call.next() => event?,
            signal = signals.next() => {
                if stop.is_none() {
                    call.interrupt().await?;
                }
                stop = stop.or(Some(signal));
                continue;
            }
        };
        let Some(event) = next else { break };
        let shown = if options.json {
            lines.event(&event).map_or(Ok(()), |told| line(&told))
        } else {
            show.event(event)
        };
        if shown.is_err() && stop.is_none() {
            stop = Some(Stop::BrokenPipe);
            call.interrupt().await?;
        }
    }
    let ended = call.end().await?;
    if options.json {
        for told in lines.rest().iter().chain([&ended.json]) {
            // That nobody reads it is told by the status of whoever did.
            let _ = line(told);
        }
    } else {
        if let Some(raised) = &ended.raised {
            show.stderr(format!("{}\n", raised.traceback.trim_end()).as_bytes());
        }
        if let Some(complaint) = &ended.complaint {
            printer.error(complaint);
        }
        if io::stderr().is_terminal() {
            printer.note(
                "standard input is no terminal: all of it ran as one cell; `cellblock run -` runs programs",
            );
        }
    }
    Ok(match stop {
        Some(stop @ (Stop::Terminate | Stop::BrokenPipe)) => stopped(stop),
        Some(Stop::Interrupt) | None => ended.status,
    })
}

fn line(value: &serde_json::Value) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(format!("{value}\n").as_bytes())?;
    stdout.flush()
}
