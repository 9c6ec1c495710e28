//! `cellblock bench`: numbers of this machine, beside what they would be without cellblock, in the same run.

mod egress;
mod server;

use std::io::Write;

use anyhow::Context;

use crate::cli::{Bench, Measure};
use crate::place::Places;
use crate::printer::Printer;

/// Measures what the command line names, or everything; prints a table or JSON.
pub(crate) fn bench(options: &Bench, places: &Places, printer: Printer) -> anyhow::Result<u8> {
    let mut what = options.what.clone();
    if what.is_empty() {
        what.push(Measure::Egress);
    }
    what.dedup();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (mut tables, mut json) = (Vec::new(), serde_json::Map::new());
    for measure in what {
        match measure {
            Measure::Egress => {
                let effort = if options.quick { egress::Effort::QUICK } else { egress::Effort::USUAL };
                let measured = runtime.block_on(egress::measure(effort, places, printer))?;
                tables.push(egress::table(&measured));
                json.insert("egress".to_owned(), serde_json::to_value(measured)?);
            }
        }
    }
    let text = if options.json { serde_json::to_string_pretty(&json)? + "\n" } else { tables.join("\n") };
    std::io::stdout().write_all(text.as_bytes()).context("write to standard output")?;
    Ok(0)
}
