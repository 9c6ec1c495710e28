//! The environment's JavaScript libraries: found from every directory, by all who look for them, and after the session's own.

use crate::kit::{BARE, Bench, shell, with};

/// What every runtime prints that finds the libraries.
const PROGRAM: &str = r#"import axios from "axios";
import * as cheerio from "cheerio";
import { max } from "d3-array";
import { format } from "date-fns";
import _ from "lodash";
import { evaluate } from "mathjs";
import Papa from "papaparse";
import { mean } from "simple-statistics";
import { validate } from "uuid";
import { z } from "zod";
const told: unknown[] = [typeof axios.get, cheerio.load("<p>x").text(), max([1, 2]), format(new Date(2026, 0), "yyyy"), _.chunk([1, 2], 1).length];
told.push(evaluate("1 + 1"), Papa.parse<string[]>("a,b").data[0][1], mean([1, 2]), validate("x"), z.string().parse("y"));
console.log(told.join(" "));
"#;
const TOLD: &str = "function x 2 2026 2 2 b 1.5 false y\n";

#[tokio::test(flavor = "multi_thread")]
async fn of_the_environment_are_found_from_everywhere() {
    with(BARE, async |bench: &Bench| {
        let session = bench.session().await;
        let write = format!("mkdir -p deep/down && cd deep/down && cat > told.ts <<'END'\n{PROGRAM}END\n");
        shell(&session, &write).await.ok();
        let node = "cd deep/down && node told.ts && cp told.ts /tmp && cd / && node /tmp/told.ts";
        assert_eq!(shell(&session, node).await.ok().stdout(), TOLD.repeat(2));
        let require =
            "cd deep/down && node -p 'require(\"zod\").z.number().parse(7) + require.resolve(\"lodash\")'";
        let found = "7/opt/cellblock/env/lib/node_modules/lodash/lodash.js\n";
        assert_eq!(shell(&session, require).await.ok().stdout(), found);
        let deno = "cd deep/down && deno run -A --node-modules-dir=manual told.ts";
        assert_eq!(shell(&session, deno).await.ok().stdout(), TOLD);
        let named = "echo 'import _ from \"npm:lodash@4\"; console.log(_.sum([1, 2]))' > named.ts && \
             deno run -A --node-modules-dir=manual named.ts";
        assert_eq!(shell(&session, named).await.ok().stdout(), "3\n");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_finds_their_types_and_those_of_both_runtimes() {
    with(BARE, async |bench: &Bench| {
        let session = bench.session().await;
        let write = format!("mkdir -p deep/down && cd deep/down && cat > told.ts <<'END'\n{PROGRAM}END\n");
        shell(&session, &write).await.ok();
        let wrong = "echo 'import fs from \"node:fs\"; import _ from \"lodash\"; const n: number = _.join([\"a\"]);\
             const s: string = fs.readFileSync(\"x\"); Deno.readTextFile(\"x\").length' > deep/down/wrong.ts";
        shell(&session, wrong).await.ok();
        let check = |options: &str| {
            format!(
                "cd deep/down && node /node_modules/.bin/tsc --noEmit --target esnext --module nodenext --types node {options}"
            )
        };
        shell(&session, &check("told.ts")).await.ok();
        let ran = shell(&session, &check("wrong.ts")).await;
        let said = ran.stdout();
        for expected in [
            "wrong.ts(1,57): error TS2322: Type 'string' is not assignable to type 'number'",
            "error TS2322: Type 'NonSharedBuffer' is not assignable to type 'string'",
            "error TS2304: Cannot find name 'Deno'",
        ] {
            assert!(said.contains(expected), "{said}");
        }
        let options = "--lib esnext --skipLibCheck wrong.ts /opt/cellblock/env/lib/deno.d.ts";
        let said = shell(&session, &check(options)).await.stdout();
        assert!(said.contains("Property 'length' does not exist on type 'Promise<string>'"), "{said}");
        session.stop().await.unwrap();
    })
    .await;
}

/// npm takes the nearest directory with a `node_modules` for the project: the root of a cell is none.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_session_come_first_and_npm_puts_them_beside_the_program() {
    with(BARE, async |bench: &Bench| {
        let session = bench.session().await;
        let pack = "mkdir /tmp/own && cd /tmp/own && echo '{\"name\": \"lodash\", \"version\": \"1.0.0\"}' > package.json && \
             echo 'exports.VERSION = \"own\"' > index.js && npm pack --silent";
        assert_eq!(shell(&session, pack).await.ok().stdout(), "lodash-1.0.0.tgz\n");
        assert_eq!(shell(&session, "npm prefix; cd /; npm prefix").await.ok().stdout(), "/mnt/workspace\n/\n");
        shell(&session, "npm install /tmp/own/lodash-1.0.0.tgz").await.ok();
        let tell = "import _ from 'lodash'; import { max } from 'd3-array'; console.log(_.VERSION, max([1, 2]))";
        let ran = "cat > own.mjs && node own.mjs && deno run -A --node-modules-dir=manual own.mjs && \
             node -p 'require(\"lodash\").VERSION'";
        let ran = shell(&session, &format!("echo \"{tell}\" | ({ran})")).await.ok();
        assert_eq!(ran.stdout(), "own 2\nown 2\nown\n");
        let removed = shell(&session, "npm uninstall lodash && node -p 'require(\"lodash\").VERSION'").await.ok();
        assert!(removed.stdout().ends_with("\n4.18.1\n"), "{removed:?}");
        session.stop().await.unwrap();
    })
    .await;
}
