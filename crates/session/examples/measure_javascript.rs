//! How long a session's client waits for JavaScript and TypeScript, and what their kernels hold, measured through the
//! engine with all walls up:
//!
//! ```text
//! cargo run --release -p session --example measure_javascript -- ENVIRONMENT [ROUNDS]
//! ```
//!
//! ENVIRONMENT is the directory of an installed environment. Memory is what is each process's own (USS), from
//! `/proc/PID/smaps_rollup` as the cell sees it.

mod times;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use session::{
    Call, Dialect, Engine, EngineOptions, Event, ExecuteRequest, Kernels, Language, Outcome, Principal,
    Resolver, Session, SessionOptions, new_call_id,
};

use times::Times;

type Error = Box<dyn std::error::Error>;

const PRINT: &str = "console.log(1 + 1)";
const ASSIGN: &str = "x = 1";

/// What agents' TypeScript looks like, in 30 lines.
const CELL: &str = r#"import _ from "lodash";
interface Sale { region: string; amount: number; at: Date }
type Totals = Record<string, { sum: number; count: number; mean: number }>;
const sales: Sale[] = [
  { region: "north", amount: 120.5, at: new Date("2024-01-03") },
  { region: "south", amount: 95, at: new Date("2024-01-04") },
  { region: "north", amount: 60.25, at: new Date("2024-02-01") },
];
function totals(rows: Sale[]): Totals {
  const result: Totals = {};
  for (const [region, group] of Object.entries(_.groupBy(rows, "region"))) {
    const sum = _.sumBy(group, (row) => row.amount);
    result[region] = { sum, count: group.length, mean: sum / group.length };
  }
  return result;
}
class Report<T extends object> {
  constructor(readonly rows: T[]) {}
  map<U extends object>(change: (row: T) => U): Report<U> {
    return new Report(this.rows.map(change));
  }
  get size(): number { return this.rows.length; }
}
const byMonth = new Map<string, number>();
for (const sale of sales) {
  const month = sale.at.toISOString().slice(0, 7);
  byMonth.set(month, (byMonth.get(month) ?? 0) + sale.amount);
}
const report = new Report(sales).map(({ region, amount }) => ({ region, amount }));
const answer: number = report.size + byMonth.size + Object.keys(totals(sales)).length;
answer"#;

const MEMORY: &str = "for p in /proc/[0-9]*; do n=$(tr '\\0' ' ' < $p/cmdline | cut -c1-200); \
    k=$(awk '/^Private_/ { s += $2 } END { print s }' $p/smaps_rollup 2>/dev/null); echo \"$k $n\"; done";

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let environment = PathBuf::from(arguments.next().ok_or("the directory of an environment is needed")?);
    let rounds = arguments.next().map_or(Ok(50), |rounds| rounds.parse())?;
    let data = tempfile::tempdir()?;
    let engine = Engine::start(EngineOptions {
        data: data.path().to_owned(),
        environment,
        kernels: Kernels::Cold,
        total_memory: None,
        resolver: Resolver::of_host()?,
    })
    .await?;
    Times::print_head();
    for (name, language) in [("Node", Language::Node as fn(Dialect) -> Language), ("Deno", Language::Deno)] {
        starts(&engine, name, language(Dialect::JavaScript), rounds).await?;
        round_trips(&engine, name, language(Dialect::JavaScript), rounds * 10).await?;
        checks(&engine, name, language(Dialect::TypeScript), rounds).await?;
        memory(&engine, name, language).await?;
    }
    engine.shutdown().await;
    Ok(())
}

/// The first result in a session: its kernel is started for it. Then the first one of a kernel that was there already.
async fn starts(engine: &Engine, name: &str, language: Language, rounds: usize) -> Result<(), Error> {
    let (mut demand, mut started) = (Times::new(), Times::new());
    for _ in 0..rounds {
        let session = open(engine).await?;
        let begun = Instant::now();
        output(execute(&session, language, PRINT)?).await?;
        demand.add(begun);
        let begun = Instant::now();
        output(execute(&session, language, PRINT)?).await?;
        started.add(begun);
        session.stop().await?;
    }
    demand.print(&format!("{name}: first output on demand, in an open session"));
    started.print(&format!("{name}: first output of its second call"));
    Ok(())
}

async fn round_trips(engine: &Engine, name: &str, language: Language, rounds: usize) -> Result<(), Error> {
    let session = open(engine).await?;
    for code in [ASSIGN, PRINT] {
        for _ in 0..20 {
            ok(execute(&session, language, code)?).await?;
        }
        let mut times = Times::new();
        for _ in 0..rounds {
            let begun = Instant::now();
            ok(execute(&session, language, code)?).await?;
            times.add(begun);
        }
        times.print(&format!("{name}, live session: `{code}`, to its report"));
    }
    session.stop().await?;
    Ok(())
}

/// A cell of TypeScript, checked, translated and run, again and again in one session; and the first one.
async fn checks(engine: &Engine, name: &str, language: Language, rounds: usize) -> Result<(), Error> {
    let (mut first, mut warm) = (Times::new(), Times::new());
    for _ in 0..rounds.div_ceil(25) {
        let session = open(engine).await?;
        let begun = Instant::now();
        ok(execute(&session, language, CELL)?).await?;
        first.add(begun);
        for _ in 0..25 {
            let begun = Instant::now();
            ok(execute(&session, language, CELL)?).await?;
            warm.add(begun);
        }
        session.stop().await?;
    }
    first.print(&format!("{name}: 30 lines of TypeScript, the first in a session"));
    warm.print(&format!("{name}: the same again, checked and run"));
    Ok(())
}

/// What the processes hold for themselves when nothing runs.
async fn memory(engine: &Engine, name: &str, language: fn(Dialect) -> Language) -> Result<(), Error> {
    let session = open(engine).await?;
    ok(execute(&session, language(Dialect::JavaScript), ASSIGN)?).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    holds(&session, &format!("{name}: after one call")).await?;
    ok(execute(&session, language(Dialect::TypeScript), CELL)?).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    holds(&session, &format!("{name}: after TypeScript")).await?;
    session.stop().await?;
    Ok(())
}

async fn holds(session: &Session, what: &str) -> Result<(), Error> {
    let call = session.command(session::CommandRequest::shell(new_call_id()?, MEMORY))?;
    let (events, _) = call.collect().await;
    let text: Vec<u8> = events
        .iter()
        .flat_map(|event| if let Event::Stdout(bytes) = event { bytes.to_vec() } else { Vec::new() })
        .collect();
    for line in String::from_utf8_lossy(&text).lines() {
        let Some((kib, command)) = line.split_once(' ') else { continue };
        let program =
            ["node.mjs", "deno.mjs", "tsc", "esbuild"].into_iter().find(|each| command.contains(each));
        if let (Some(program), Ok(kib)) = (program, kib.parse::<u64>()) {
            println!("{what}: {program} holds {} MiB", kib / 1024);
        }
    }
    Ok(())
}

async fn open(engine: &Engine) -> Result<Session, Error> {
    Ok(engine.open(Principal::local(), SessionOptions::default()).await?)
}

fn execute(session: &Session, language: Language, code: &str) -> Result<Call, Error> {
    Ok(session.execute(ExecuteRequest::new(new_call_id()?, code).in_language(language))?)
}

/// Waits for the first output. Gives an error if the call does not end well.
async fn output(mut call: Call) -> Result<(), Error> {
    while !matches!(call.next().await.ok_or("no output")?, Event::Stdout(_)) {}
    // The rest is not waited for: the next call is, as an agent's would be.
    Ok(())
}

async fn ok(call: Call) -> Result<(), Error> {
    let report = call.report().await;
    match report.outcome {
        Outcome::Ok => Ok(()),
        other => Err(format!("a call ended otherwise: {other} {:?}", report.raised).into()),
    }
}
