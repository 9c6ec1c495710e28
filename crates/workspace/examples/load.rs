//! What a workspace of many files, and of a large one, costs: `cargo run -p workspace --example load -- [FILES] [GIB]`
//! (100 000 files and one of 5 GiB, where nothing else is said). Prints a table. What it makes, in the directory for
//! temporary files, it removes again; the large file is sparse, and takes its size in the store while this runs.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use workspace::{Store, View, WorkingCopy, WorkspaceName};

/// The most memory that this process has used, MiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}

struct Table(Instant);

impl Table {
    fn row(&mut self, what: &str, said: &str) {
        let took = self.0.elapsed();
        println!("{what:<44} {:>10.0} ms {:>8} MiB   {said}", took.as_secs_f64() * 1e3, peak());
        self.0 = Instant::now();
    }
}

fn make_small(directory: &Path, files: usize) -> std::io::Result<()> {
    for number in 0..files {
        let below = directory.join(format!("{:03}", number % 200));
        if number < 200 {
            fs::create_dir_all(&below)?;
        }
        fs::write(below.join(format!("{number}.txt")), format!("file {number}"))?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let files = numbers.next().transpose()?.unwrap_or(100_000);
    let large = numbers.next().transpose()?.unwrap_or(5) as u64 * (1 << 30);
    sys::process::raise_open_files()?;
    let dir = tempfile::tempdir()?;
    let store = Store::local(&dir.path().join("store"))?;
    let workspace = store.workspace("local", &WorkspaceName::usual());
    let copy = |name: &str| -> std::io::Result<WorkingCopy> {
        let directory = dir.path().join(name);
        fs::create_dir(&directory)?;
        Ok(WorkingCopy::new(workspace.clone(), View::Flat, directory, sys::file::own_ids().0))
    };
    let mut table = Table(Instant::now());
    let one = copy("one")?;
    make_small(&dir.path().join("one"), files)?;
    table.row(&format!("{files} files made"), "");
    let saved = one.save().await?;
    table.row("saved", &format!("{} files, {} left out", saved.files.len(), saved.left_out.len()));
    drop(saved);
    let saved = one.save().await?;
    table.row("saved again, nothing changed", &format!("{} files", saved.files.len()));
    one.refresh().await?;
    table.row("looked for what arrived", "");
    one.refresh().await?;
    table.row("and once more", "");
    let other = copy("other")?;
    let brought = other.refresh().await?;
    table.row("brought into another", &format!("{} files", brought.files));
    let file = fs::File::create(dir.path().join("one/large.bin"))?;
    file.set_len(large)?;
    file.write_all_at(b"the end", large.saturating_sub(7))?;
    let saved = one.save().await?;
    table.row("a large file saved", &format!("{} files, {} MiB", saved.files.len(), large >> 20));
    let brought = other.refresh().await?;
    table.row("brought into the other", &format!("{} files", brought.files));
    fs::remove_file(dir.path().join("store/local/default/code-interpreter/large.bin"))?;
    fs::remove_file(dir.path().join("other/large.bin"))?;

    let uploads = dir.path().join("store/local/another/uploads");
    fs::create_dir_all(&uploads)?;
    for number in 0..1000 {
        let file = fs::File::create(uploads.join(format!("{number}.bin")))?;
        file.write_all_at(&vec![7; 1 << 20], 0)?;
        // As a store does with what it is given.
        file.sync_all()?;
    }
    let workspace = store.workspace("local", &WorkspaceName::parse("another")?);
    let here = dir.path().join("lazy");
    fs::create_dir(&here)?;
    table.row("1000 files of 1 MiB made", "");
    workspace.list("").await?;
    table.row("listed", "");
    let copy = WorkingCopy::new(workspace, View::Flat, here.clone(), sys::file::own_ids().0);
    let brought = copy.refresh().await?;
    table.row("opened", &format!("{} files", brought.files));
    let read = tokio::task::spawn_blocking(move || fs::read(here.join("999.bin"))).await??;
    table.row("one of them read", &format!("{} bytes, {:?}", read.len(), *copy.left().borrow()));
    copy.settled().await;
    table.row("all of them there", "");
    Ok(())
}
