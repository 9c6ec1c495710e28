//! `npm install`: into the layer, and in a project beside its `package.json`.

use session::{Dialect, Language};

use super::{prepared, quietly};
use crate::kit::{BARE, Bench, Ran, request, shell, with};

/// Packs packages, as `npm pack` would.
const PACK: &str = r##"
import io, json, tarfile
def pack(name, version="1.0.0"):
    files = {
        "package.json": json.dumps({"name": name, "version": version, "main": "index.js", "bin": {f"run-{name}": "run.js"}}),
        "index.js": "module.exports = __filename",
        "run.js": "#!/usr/bin/env node\nconsole.log(require('./index.js'))",
    }
    with tarfile.open(f"{name}.tgz", "w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"package/{path}"); entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
pack("everywhere"); pack("here"); pack("lodash", "99.0.0")"##;

#[tokio::test(flavor = "multi_thread")]
async fn packages_of_node() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench).await;
        quietly(&session, PACK).await;
        let code = r#"
said = says("npm install ./everywhere.tgz")
assert said.strip() == "added 1 package in " + said.strip().rpartition(" ")[2], said
print(says("run-everywhere"), says("node -p 'require(\"everywhere\")'"), sep="", end="")
open("es.mjs", "w").write("import where from 'everywhere'; console.log(where)")
print(says("node es.mjs"), end="")
says("mkdir -p project/deep && cd project && npm init -y && cd deep && npm install ../../here.tgz")
print(says("cd project && node -p 'require(\"here\")' && npx run-here"), end="")
print(says("npm ls").count("everywhere@1.0.0"), says("ls"), sep="\n", end="")"#;
        let (everywhere, here) = (
            "/home/user/.local/lib/node_modules/everywhere/index.js\n",
            "/mnt/workspace/project/node_modules/here/index.js\n",
        );
        let files = "es.mjs\neverywhere.tgz\nhere.tgz\nlodash.tgz\nproject\n";
        let expected = format!("{everywhere}{everywhere}{everywhere}{here}{here}1\n{files}");
        assert_eq!(quietly(&session, code).await, expected);
        let removed =
            shell(&session, "npm uninstall everywhere; command -v run-everywhere; ls ~/.npm").await.ok();
        assert!(removed.stdout().contains("removed 1 package"), "{removed:?}");
        assert!(!removed.stdout().contains("run-everywhere") && removed.stdout().contains("_cacache"));
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_installed_comes_before_the_environments() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench).await;
        quietly(&session, PACK).await;
        let node = Language::Node(Dialect::JavaScript);
        let js = async |code: &str| {
            let ran = Ran::of(session.execute(request(code).in_language(node)).unwrap()).await.ok();
            ran.value().map(str::to_owned).unwrap_or_default()
        };
        let version = "(await import('lodash/package.json', { with: { type: 'json' } })).default.version";
        assert!(!js(version).await.contains("99.0.0"));
        shell(&session, "npm install ./lodash.tgz ./everywhere.tgz").await.ok();
        // A kernel that has it already keeps it, as Python's does.
        session.clear(node).await.unwrap();
        assert_eq!(js(version).await, "'99.0.0'");
        assert_eq!(js("require('lodash/package.json').version").await, "'99.0.0'");
        assert_eq!(
            js("import where from 'everywhere'; where").await,
            "'/home/user/.local/lib/node_modules/everywhere/index.js'"
        );
        session.stop().await.unwrap();
    })
    .await;
}
