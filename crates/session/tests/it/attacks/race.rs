//! A cell that already holds hostile code when another kernel enters it.

use session::Limits;

use crate::kit::{BARE, Bench, print, run, until, with};

const WATCH: &str = include_str!("race.py");

/// How many kernels enter while they are watched.
const ENTRIES: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_taken_from_a_kernel_that_enters() {
    with(BARE, async |bench: &Bench| {
        let session = bench.session_with(Limits { cpus: 2, ..Limits::default() }).await;
        run(&session, WATCH).await.ok();
        for n in 0..ENTRIES {
            // Ends the kernel, but not the watchers, who have left its session; the next one is forked.
            let cleared = session.clear(session::Language::Python).await.unwrap();
            assert!(cleared.fresh_kernel, "{n}: {cleared:?}");
        }
        session.create_file("stop", &b""[..]).await.unwrap();
        let found = bench.cell(&session).join("workspace");
        let reports =
            || crate::kit::left::names(&found).into_iter().filter(|name| name.starts_with("watched")).count();
        until("both watchers report", || reports() == 2).await;
        let code = "
import glob, json
reports = [json.load(open(path)) for path in glob.glob('watched-*.json')]
print([report['stolen'] for report in reports])
print(min(report['seen'] for report in reports), min(report['tried'] for report in reports))";
        let said = print(&session, code).await;
        let (stolen, counts) = said.split_once('\n').unwrap();
        assert_eq!(stolen, "[[], []]");
        let counts: Vec<usize> = counts.split_whitespace().map(|count| count.parse().unwrap()).collect();
        assert!(counts[0] >= ENTRIES / 2 && counts[1] >= 1000, "they hardly looked: {counts:?}");
        session.stop().await.unwrap();
    })
    .await;
}

const STOP: &str = include_str!("stop.py");

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_or_kills_what_enters_harms_itself() {
    with(BARE, async |bench: &Bench| {
        let other = bench.session().await;
        for signal in ["SIGKILL", "SIGSTOP"] {
            let session = bench.session().await;
            // It may kill the kernel that started it before that has reported.
            run(&session, &format!("SIGNAL = {signal:?}\n{STOP}")).await;
            let ended = bench.cell(&session).join("workspace/ended");
            while !ended.exists() {
                // Each call ends, in whatever way, and others notice nothing.
                let (_, said) = tokio::join!(run(&session, "1"), print(&other, "print('unharmed')"));
                assert_eq!(said, "unharmed\n");
                let _ = session.clear(session::Language::Python).await;
            }
            let hit: u32 = std::fs::read_to_string(ended).unwrap().parse().unwrap();
            assert!(hit > 0, "{signal}: nothing was hit");
            session.clear(session::Language::Python).await.unwrap();
            assert_eq!(print(&session, "print('alive')").await, "alive\n", "{signal}");
            session.stop().await.unwrap();
            let new = bench.session().await;
            assert_eq!(print(&new, "print('new')").await, "new\n", "{signal}");
            new.stop().await.unwrap();
        }
        other.stop().await.unwrap();
    })
    .await;
}
