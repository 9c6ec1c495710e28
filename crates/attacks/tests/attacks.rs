//! The table of attacks, tried: see the library's first lines.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use attacks::layers::{self, Ground, LAYERS, Layer};
use attacks::{Attack, MARK, Scene, Tried, Whole, all, page};
use environment::Environments;
use tempfile::TempDir;

/// Tells where environments are installed.
const ENVIRONMENTS: &str = "CELLBLOCK_TEST_ENVIRONMENTS";

/// The installed environment; none: the test is to be skipped, which this says.
fn environment() -> Option<PathBuf> {
    let directory = std::env::var_os(ENVIRONMENTS).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-data/environments"),
        PathBuf::from,
    );
    let found = Environments::new(&directory).find("lean").unwrap();
    if found.is_none() {
        let why = format!("`lean` is not installed in {} (see {ENVIRONMENTS})", directory.display());
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
        eprintln!("SKIPPED: {why}");
    }
    found.map(|installed| installed.root)
}

#[derive(Default)]
struct Table {
    /// For each layer, and for the whole cell: attacks that failed there, and that could not be tried.
    counts: BTreeMap<&'static str, (usize, usize)>,
    /// How many succeeded as a control.
    shown: usize,
    wrong: Vec<String>,
}

impl Table {
    fn enter(&mut self, attack: &Attack, tried: Vec<(&'static str, Attempt)>) {
        let name = format!("{}/{}", attack.topic, attack.name);
        let is_shown = |attempt: &Attempt| matches!(attempt, Attempt::Behind(_));
        let layers = tried.iter().filter(|(behind, _)| *behind != CELL);
        self.shown += usize::from(layers.clone().any(|(_, attempt)| is_shown(attempt)));
        for (behind, attempt) in tried {
            let counts = self.counts.entry(behind).or_default();
            match attempt {
                Attempt::Behind(Tried::Failed(said)) => {
                    eprintln!("{name} behind {behind}: {}", said.replace('\n', "; "));
                    counts.0 += 1;
                }
                Attempt::Behind(Tried::Succeeded) => {
                    self.wrong.push(format!("{name} SUCCEEDS behind {behind}"));
                }
                Attempt::Behind(Tried::Skipped(why)) | Attempt::NoControl(why) => {
                    eprintln!("SKIPPED: {name} behind {behind}: {}", why.replace('\n', "; "));
                    counts.1 += 1;
                }
                Attempt::NoAttack(said) => self.wrong.push(format!("{name} is no attack: {said}")),
            }
        }
    }
}

/// What is said of a real cell.
const CELL: &str = "a whole cell";

/// An attempt behind a layer.
enum Attempt {
    /// It was made.
    Behind(Tried),
    /// It cannot be shown to be an attack here, and this is why.
    NoControl(String),
    /// It fails without the layer, too, and nothing excuses it.
    NoAttack(String),
}

#[test]
fn each_layer_stops_its_attacks_alone_and_a_cell_stops_all() {
    let Some(environment) = environment() else { return };
    let (directory, scene) = scene(environment);
    let whole = Whole::start(&scene).unwrap();
    let is_root = sys::file::own_ids().0 == 0;
    let only = std::env::var("CELLBLOCK_TEST_ATTACK").ok();

    let attacks = all();
    let attacks = attacks.iter().filter(|attack| only.as_ref().is_none_or(|only| attack.name == *only));
    let (left, table) = (Mutex::new(attacks), Mutex::new(Table::default()));
    let next = || left.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(attack) = next() {
                    let tried = attempt(&scene, &whole, attack, is_root);
                    table.lock().unwrap().enter(attack, tried);
                }
            });
        }
    });
    let table = table.into_inner().unwrap();
    let mut totals = format!(
        "{} attacks succeeded without a wall, as {}:\n",
        table.shown,
        if is_root { "root" } else { "an ordinary user" }
    );
    for (behind, (failed, skipped)) in &table.counts {
        let _ = writeln!(totals, "  {behind:<18} {failed:>3} failed behind it, {skipped:>3} SKIPPED");
    }
    eprintln!("{totals}");
    assert!(table.wrong.is_empty(), "{:#?}", table.wrong);
    drop(whole);
    directory.close().unwrap();
}

fn scene(environment: PathBuf) -> (TempDir, Scene) {
    let directory = tempfile::tempdir().unwrap();
    // Attackers of all kinds go through it.
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    let walls_apart = env!("CARGO_BIN_EXE_walls-apart").into();
    let scene = Scene { environment, scratch: directory.path().to_owned(), walls_apart };
    (directory, scene)
}

/// What a wall does not stop is told: a program that needs nothing but to run succeeds everywhere.
#[test]
fn success_is_seen_behind_every_layer_and_in_a_cell() {
    let Some(environment) = environment() else { return };
    let (directory, scene) = scene(environment);
    let whole = Whole::start(&scene).unwrap();
    let is_root = sys::file::own_ids().0 == 0;
    let run = Attack { decoy: "word".to_owned(), program: "won()".to_owned(), ..all().remove(0) };
    for (name, layer, _) in LAYERS {
        let tried = scene.run(&run, Some(*layer), layers::ground(*layer, is_root, false)).unwrap();
        let can_be_missing = [Layer::Cgroup, Layer::Landlock].contains(layer);
        let excused = can_be_missing && matches!(tried, Tried::Skipped(_));
        assert!(tried == Tried::Succeeded || excused, "behind {name}: {tried:?}");
    }
    assert_eq!(whole.run(&run).unwrap(), Tried::Succeeded);
    drop(whole);
    directory.close().unwrap();
}

/// The launcher that makes real cells is another program than the one that can leave layers out.
#[test]
fn what_is_shipped_has_all_layers() {
    let Some(environment) = environment() else { return };
    let (directory, scene) = scene(environment);
    let whole = Whole::start(&scene).unwrap();
    let launcher = whole.launcher().expect("it runs");
    let about = fs::read_to_string(format!("/proc/self/fdinfo/{}", launcher.as_raw_fd())).unwrap();
    let pid = about.lines().find_map(|line| line.strip_prefix("Pid:")).unwrap().trim();
    let shipped = fs::read(format!("/proc/{pid}/exe")).unwrap();
    let apart = fs::read(&scene.walls_apart).unwrap();

    let holds = |program: &[u8], text: &str| program.windows(text.len()).any(|part| part == text.as_bytes());
    // Both make cells, by the same steps.
    assert!(holds(&shipped, "install a system-call filter") && holds(&apart, "install a system-call filter"));
    assert!(holds(&apart, MARK) && !holds(&shipped, MARK));
    drop(whole);
    directory.close().unwrap();
}

#[test]
fn the_page_tells_of_all_attacks() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/attacks.md");
    if std::env::var_os("CELLBLOCK_UPDATE_DOCS").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(written == page(), "renew docs/attacks.md: run this test with CELLBLOCK_UPDATE_DOCS=1");
}

/// Tries one attack behind each of its layers and in a cell.
fn attempt(scene: &Scene, whole: &Whole, attack: &Attack, is_root: bool) -> Vec<(&'static str, Attempt)> {
    let mut controls: BTreeMap<Ground, Tried> = BTreeMap::new();
    let mut tried = Vec::new();
    for layer in attack.layers(is_root) {
        let ground = layers::ground(layer, is_root, attack.needs_root);
        let attempt = if attack.needs_root && !is_root && !ground.is_namespace() {
            Attempt::NoControl("it takes root".to_owned())
        } else {
            let control = controls.entry(ground).or_insert_with(|| scene.run(attack, None, ground).unwrap());
            match control {
                Tried::Succeeded => Attempt::Behind(scene.run(attack, Some(layer), ground).unwrap()),
                Tried::Skipped(why) => Attempt::NoControl(why.clone()),
                // Root of a user namespace may have less than the user himself; that is the namespace's doing.
                Tried::Failed(said) if ground.is_namespace() => {
                    Attempt::NoControl(format!("an ordinary user's only ground for it stops it: {said}"))
                }
                Tried::Failed(said) => Attempt::NoAttack(said.clone()),
            }
        };
        tried.push((layers::name(layer), attempt));
    }
    tried.push((CELL, Attempt::Behind(whole.run(attack).unwrap())));
    tried
}
