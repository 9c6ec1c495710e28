//! What code shows: values, displays, figures, and `IPython`'s ways.

use session::{Event, MimeBundle, MimeData};

use crate::kit::{Bench, DATA, print, run, with};

use super::with_both;

with_both! {
    the_last_value_is_shown,
    bundles_carry_what_was_displayed,
    magics_and_commands_are_there,
}

async fn the_last_value_is_shown(bench: &Bench) {
    let session = bench.session().await;
    for (code, value) in [
        ("1 + 1", Some("2")),
        ("x = 5\nx * 2", Some("10")),
        ("'text'", Some("'text'")),
        ("_", Some("'text'")),
        ("x = 7", None),
        ("x;", None),
        ("None", None),
        ("for i in range(3): i", None),
        ("print('said')", None),
        ("{'a': [1, 2], 'b': (3,)}", Some("{'a': [1, 2], 'b': (3,)}")),
    ] {
        assert_eq!(run(&session, code).await.ok().value(), value, "{code}");
    }
    let rich = "
class Rich:
    def __repr__(self): return 'plain'
    def _repr_html_(self): return '<b>rich</b>'
    def _repr_markdown_(self): return '**rich**'
Rich()";
    let ran = run(&session, rich).await.ok();
    let result = ran.result().unwrap();
    assert_eq!(result.text("text/plain"), Some("plain"));
    assert_eq!(result.text("text/html"), Some("<b>rich</b>"));
    assert_eq!(result.text("text/markdown"), Some("**rich**"));
    // The value comes after what was printed before it.
    let ran = run(&session, "print('first')\n'second'").await.ok();
    assert!(matches!(&ran.events[..], [Event::Stdout(_), Event::Result(_)]), "{ran:?}");
    session.stop().await.unwrap();
}

async fn bundles_carry_what_was_displayed(bench: &Bench) {
    let session = bench.session().await;
    let code = r#"
from IPython.display import HTML, JSON, Image, Latex, Markdown, SVG
import base64
print("before")
display(HTML("<i>h</i>"), Markdown("*m*"), Latex("$x^2$"), JSON({"a": [1, None]}), SVG("<svg xmlns='http://www.w3.org/2000/svg'/>"))
png = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
display(Image(png))
handle = display("first", display_id="known")
print("between")
handle.update("second")"#;
    let ran = run(&session, code).await.ok();
    let shown = ran.displays();
    assert_eq!(shown.len(), 8, "{ran:?}");
    for (bundle, mime, text) in [
        (shown[0], "text/html", "<i>h</i>"),
        (shown[1], "text/markdown", "*m*"),
        (shown[2], "text/latex", "$x^2$"),
    ] {
        assert_eq!(bundle.text(mime), Some(text));
        assert!(bundle.text("text/plain").is_some(), "something for who shows text alone: {bundle:?}");
    }
    assert_eq!(shown[3].get("application/json"), Some(&MimeData::Json(serde_json::json!({"a": [1, null]}))));
    assert!(shown[4].text("image/svg+xml").unwrap().starts_with("<svg"), "{:?}", shown[4]);
    assert_eq!(ran.pictures(), [(1, 1)]);
    assert_eq!((shown[6].display_id.as_deref(), shown[6].update), (Some("known"), false));
    assert_eq!((shown[7].display_id.as_deref(), shown[7].update), (Some("known"), true));
    assert_eq!(
        (shown[6].text("text/plain"), shown[7].text("text/plain")),
        (Some("'first'"), Some("'second'"))
    );
    // In the order in which they were made, print among them.
    let at = |text: &str| {
        let is = |event: &Event| matches!(event, Event::Stdout(bytes) if bytes.starts_with(text.as_bytes()));
        ran.events.iter().position(is).unwrap()
    };
    assert_eq!((at("before"), at("between")), (0, 8));
    session.stop().await.unwrap();
}

async fn magics_and_commands_are_there(bench: &Bench) {
    let session = bench.session().await;
    run(&session, "kept = 'value'").await.ok();
    for (code, said) in [
        ("%%bash\nfor i in 1 2; do echo line $i; done", "line 1\nline 2\n"),
        ("!echo out; echo {kept} $kept", "out\nvalue value\n"),
        ("!echo $HOME", "/home/user\n"),
        ("lines = !printf 'a\\nb\\n'\nprint(lines)", "['a', 'b']\n"),
        ("%env MADE=by-magic\n!echo $MADE", "env: MADE=by-magic\nby-magic\n"),
        ("%%writefile made.txt\ncontent", "Writing made.txt\n"),
        ("!cat made.txt", "content\n"),
        ("%mkdir deep\n%cd -q deep\n!basename $PWD", "deep\n"),
        ("%cd -q ..\nimport os; print(os.getcwd())", "/mnt/workspace\n"),
        ("%%capture captured\nprint('hidden')", ""),
        ("print(captured.stdout)", "hidden\n\n"),
        ("get_ipython().run_line_magic('pwd', '')", ""),
    ] {
        assert_eq!(print(&session, code).await, said, "{code}");
    }
    assert!(print(&session, "%timeit -n 1 -r 1 pass").await.contains("per loop"));
    assert!(print(&session, "%%time\nsum(range(10))").await.contains("Wall time"));
    assert!(print(&session, "%who").await.contains("kept"));
    let failed = run(&session, "!exit 3").await.ok();
    assert_eq!(failed.stdout(), "");
    assert_eq!(run(&session, "_exit_code").await.ok().value(), Some("3"));
    let unknown = run(&session, "%no_such_magic").await;
    assert!(format!("{unknown:?}").contains("no_such_magic"), "{unknown:?}");
    session.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_come_without_being_asked_for() {
    with(DATA, async |bench: &Bench| {
        let session = bench.session().await;
        let left_open = "import matplotlib.pyplot as plt\nplt.figure(figsize=(4, 3), dpi=50)\nplt.plot([1, 4, 9])\nprint('drawn')";
        let ran = run(&session, left_open).await.ok();
        let [(width, height)] = ran.pictures()[..] else { panic!("{ran:?}") };
        assert!((150..=260).contains(&width) && (100..=220).contains(&height), "{width}x{height}");
        assert!(ran.displays()[0].text("text/plain").unwrap().contains("Figure"), "{ran:?}");
        assert!(matches!(ran.events[0], Event::Stdout(_)));
        // Shown once, and closed: the next call has nothing of it.
        assert_eq!(run(&session, "plt.get_fignums()").await.ok().value(), Some("[]"));

        let two = "for n in range(2):\n    plt.figure(); plt.plot([n]); plt.show(); print('shown', n)";
        let ran = run(&session, two).await.ok();
        assert_eq!(ran.pictures().len(), 2);
        let order: Vec<bool> = ran.events.iter().map(|event| matches!(event, Event::Display(_))).collect();
        assert_eq!(order, [true, false, true, false], "{ran:?}");

        let saved = "plt.plot([1]); plt.savefig('chart.png'); plt.close()";
        assert_eq!(run(&session, saved).await.ok().pictures(), []);
        let value = run(&session, "fig, ax = plt.subplots(); ax.bar(['a'], [1]); fig").await.ok();
        assert!(value.result().unwrap().get("image/png").is_some(), "{value:?}");
        assert_eq!(value.pictures(), [], "shown as the value, and not a second time");
        let raised = run(&session, "plt.plot([1, 2])\n1 / 0").await;
        assert_eq!((raised.raised().0, raised.pictures().len()), ("ZeroDivisionError", 1));

        let table = "import pandas as pd\npd.DataFrame({'name': ['a', 'b'], 'n': [1, 2]})";
        let ran = run(&session, table).await.ok();
        let bundle = ran.result().unwrap();
        assert!(bundle.text("text/html").unwrap().contains("<table"), "{bundle:?}");
        assert_eq!(bundle.text("text/plain"), Some("  name  n\n0    a  1\n1    b  2"));
        // Both as data, too, which is read as values.
        let data = |bundle: &MimeBundle, mime| match bundle.get(mime) {
            Some(MimeData::Json(value)) => value.clone(),
            other => panic!("{other:?}"),
        };
        let rows = &data(bundle, "application/vnd.dataresource+json")["data"];
        assert_eq!(rows[1], serde_json::json!({"index": 1, "name": "b", "n": 2}));
        let chart = data(value.result().unwrap(), "application/vnd.cellblock.chart+json");
        assert_eq!(chart["axes"][0]["series"][0]["x"], serde_json::json!(["a"]));
        let many = "import numpy as np\nplt.scatter(np.random.rand(10**6), np.random.rand(10**6)); plt.show()";
        let ran = run(&session, many).await.ok();
        let chart = data(ran.displays()[0], "application/vnd.cellblock.chart+json");
        assert_eq!(chart["axes"][0]["series"][0]["of"], 1_000_000);
        session.stop().await.unwrap();
    })
    .await;
}
