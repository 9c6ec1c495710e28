//! `npm install`: into the folder it is started in, and with `-g` into the layer.

use super::{prepared, quietly};
use crate::kit::{BARE, Bench, shell, with};

#[tokio::test(flavor = "multi_thread")]
async fn packages_of_node() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench).await;
        let code = r##"
import io, json, tarfile
def pack(name):
    files = {
        "package.json": json.dumps({"name": name, "version": "1.0.0", "bin": {f"run-{name}": "run.js"}}),
        "index.js": "module.exports = __filename",
        "run.js": "#!/usr/bin/env node\nconsole.log(require('./index.js'))",
    }
    with tarfile.open(f"{name}.tgz", "w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"package/{path}"); entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
pack("everywhere"); pack("here")
said = says("npm install -g ./everywhere.tgz")
assert said.strip() == "added 1 package in " + said.strip().rpartition(" ")[2], said
print(says("run-everywhere"), says("node -p 'require(\"everywhere\")'"), sep="", end="")
says("npm install ./here.tgz")
print(says("node -p 'require(\"here\")'"), says("npx run-here"), sep="", end="")
print(says("npm root -g"), says("npm uninstall -g everywhere").count("removed 1 package"), sep="", end="")"##;
        let (everywhere, here) = (
            "/home/user/.local/lib/node_modules/everywhere/index.js\n",
            "/mnt/workspace/node_modules/here/index.js\n",
        );
        let expected = format!("{everywhere}{everywhere}{here}{here}/home/user/.local/lib/node_modules\n1");
        assert_eq!(quietly(&session, code).await, expected);
        let ran = shell(&session, "command -v run-everywhere; ls ~/.npm").await.ok();
        assert!(!ran.stdout().contains("run-everywhere") && ran.stdout().contains("_cacache"), "{ran:?}");
        session.stop().await.unwrap();
    })
    .await;
}
