//! Numbers, for whoever asks: not a test of anything.
//!
//! ```sh
//! cargo test --release -p forkserver -- --ignored --nocapture measure
//! ```

use std::fs;
use std::time::{Duration, Instant};

use cell::Cell;
use forkserver::WarmSet;

use crate::kit::{Bench, children};
use crate::real::{self, Real};

const ROUNDS: usize = 100;
const LIVING: usize = 40;

/// A median and a 99th percentile, ms.
fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    format!("{:6.2} / {:6.2}", at(50), at(99))
}

/// Private and proportional memory of a cell's one kernel, KiB.
fn memory(cell: &Cell) -> (u64, u64) {
    let pid = children(cell.pid())[0];
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let field = |name: &str| -> u64 {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    (field("Private_Clean:") + field("Private_Dirty:"), field("Pss:"))
}

#[test]
#[ignore = "measures; tests nothing"]
fn measure() {
    let Some(bench) = Bench::real() else { return };
    for warm_set in [WarmSet::Bare, WarmSet::Data] {
        let start = Instant::now();
        let forkserver = bench.forkserver(warm_set);
        let warm = forkserver.wait_ready(Duration::ZERO).unwrap();
        println!(
            "\n{}: Python {}, warm after {:.2} s, {} MiB",
            warm_set.name(),
            warm.version,
            start.elapsed().as_secs_f64(),
            warm.memory >> 20
        );
        let (mut outside, mut confined) = (vec![], vec![]);
        let (mut ready, mut first, mut second) = (vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            let cell = bench.cell();
            let start = Instant::now();
            let entering = real::enter(&forkserver, &cell, &[]);
            outside.push(start.elapsed());
            Real::ready(entering);
        }
        for _ in 0..ROUNDS {
            let cell = bench.cell();
            let cgroups = cell.cgroups().unwrap();
            let start = Instant::now();
            let entering = real::enter(&forkserver, &cell, &cgroups);
            confined.push(start.elapsed());
            let mut kernel = Real::ready(entering);
            ready.push(start.elapsed());
            assert_eq!(kernel.run("print(1 + 1)"), "2");
            first.push(start.elapsed());
            let again = Instant::now();
            kernel.run("print(1 + 1)");
            second.push(again.elapsed());
        }
        println!("from the request, ms, p50 / p99 of {ROUNDS}");
        println!("  confined          {}", quantiles(confined));
        println!("   (in no cgroup)   {}", quantiles(outside));
        println!("  ready             {}", quantiles(ready));
        println!("  first print       {}", quantiles(first));
        println!("  a later print     {}", quantiles(second));

        let mut living: Vec<(Cell, Real)> = (0..LIVING)
            .map(|_| {
                let cell = bench.cell();
                let kernel = Real::ready(real::enter(&forkserver, &cell, &cell.cgroups().unwrap()));
                (cell, kernel)
            })
            .collect();
        println!("a kernel's memory, private / proportional, KiB, mean of {LIVING} living ones");
        let mut steps =
            vec![("ready", ""), ("print", "print(1 + 1)"), ("gc.collect()", "import gc; gc.collect()")];
        if warm_set == WarmSet::Data {
            steps.push((
                "describe",
                "import pandas as pd; print(pd.DataFrame({'a': range(1000)}).describe())",
            ));
        }
        for (name, code) in steps {
            for (_, kernel) in &mut living {
                if !code.is_empty() {
                    kernel.run(code);
                }
            }
            let (mut private, mut proportional) = (0, 0);
            for (cell, _) in &living {
                let (uss, pss) = memory(cell);
                private += uss / LIVING as u64;
                proportional += pss / LIVING as u64;
            }
            println!("  {name:<16}  {private:6} / {proportional:6}");
        }
    }
}
