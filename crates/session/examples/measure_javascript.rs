//! How long a session's client waits for JavaScript and TypeScript, and what their kernels hold, measured through the
//! engine with all walls up:
//!
//! ```text
//! cargo run --release -p session --example measure_javascript -- ENVIRONMENT [ROUNDS]
//! ```
//!
//! ENVIRONMENT is the directory of an installed environment. Memory is what is each process's own (USS), from
//! `/proc/PID/smaps_rollup`, which root may read.

mod times;

use std::collections::HashMap;
use std::fs;
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
    holds(&format!("{name}: after one call"))?;
    ok(execute(&session, language(Dialect::TypeScript), CELL)?).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    holds(&format!("{name}: after TypeScript"))?;
    session.stop().await?;
    Ok(())
}

/// Prints what this program's descendants of these names hold.
fn holds(what: &str) -> Result<(), Error> {
    let mut parents = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // Behind the name, which may hold anything: the state, and the parent.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<u32>().ok());
        parents.extend(parent.map(|parent| (pid, parent)));
    }
    let mut found = false;
    for pid in parents.keys() {
        let ours =
            std::iter::successors(Some(pid), |pid| parents.get(pid)).any(|pid| *pid == std::process::id());
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let program =
            ["node.mjs", "deno.mjs", "tsc", "esbuild"].into_iter().find(|each| command.contains(each));
        let Some(program) = program.filter(|_| ours) else { continue };
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let kib: u64 = rollup
            .lines()
            .filter(|line| line.starts_with("Private_"))
            .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
            .sum();
        if kib > 0 {
            found = true;
            println!("{what}: {program} holds {} MiB", kib / 1024);
        }
    }
    if !found {
        println!("{what}: what it holds is told to root alone");
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
