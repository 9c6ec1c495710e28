//! Installs an environment into a directory and tells how it goes: `cargo run -p environment --example install -- DIR [NAME]`.

use std::time::Instant;

use environment::{Environments, Fetching, Progress, Stage};

struct Lines(Instant);

impl Progress for Lines {
    fn stage(&mut self, stage: Stage) {
        eprintln!("{:6.1} s  {}", self.0.elapsed().as_secs_f64(), stage.describe());
    }

    fn fetching(&mut self, now: &Fetching) {
        let names: Vec<&str> = now.current.iter().map(|(name, _)| name.as_str()).collect();
        eprintln!(
            "{:6.1} s  {} of {} packages, {} of {} MB: {}",
            self.0.elapsed().as_secs_f64(),
            now.packages_done,
            now.packages_total,
            now.bytes_done / 1_000_000,
            now.bytes_total / 1_000_000,
            names.join(", ")
        );
    }

    fn compiling(&mut self, done: usize, total: usize) {
        if done.is_multiple_of(1000) || done == total {
            eprintln!("{:6.1} s  {done} of {total} modules", self.0.elapsed().as_secs_f64());
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().expect("a directory to install into");
    let name = arguments.next().unwrap_or_else(|| "lean".to_owned());
    match Environments::new(dir).install(&name, &mut Lines(Instant::now())) {
        Ok(installed) => println!("{}", installed.root.display()),
        Err(error) => {
            eprintln!("error: failed to {error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            std::process::exit(1);
        }
    }
}
