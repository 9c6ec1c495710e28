// The suite of MCP's own project against our server: everything that a revision requires of one.
//
// Many of its scenarios call tools, prompts and resources that only a fixture has (`test_simple_text`). What does not
// apply is listed beside, each with its reason; a scenario that begins to pass must be taken off the list.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';

import { URL_ } from './kit.js';

const PACKAGE = dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json'));

for (const revision of ['2025-11-25', '2026-07-28']) {
  const list = join(import.meta.dirname, `conformance-${revision}.yml`);

  test(`conformance with ${revision}`, async (t) => {
    const results = mkdtempSync(join(tmpdir(), 'conformance-'));
    t.after(() => rmSync(results, { recursive: true, force: true }));
    const { status, said } = await run([
      ...[join(PACKAGE, 'dist/index.js'), 'server', '--url', `${URL_}/mcp`, '--output-dir', results],
      ...['--requirements', revision, '--expected-failures', list],
    ]);
    assert.equal(status, 0, said);
    t.diagnostic(said.slice(said.lastIndexOf('SUMMARY')).replaceAll('\n', ' | '));
  });

  test(`every exception with ${revision} has a reason`, () => {
    const lines = readFileSync(list, 'utf8').split('\n').filter((line) => /^\s*-/.test(line));
    assert.ok(lines.length > 0);
    for (const line of lines) assert.match(line, /^ {2}- [\w:.-]+ +# \S.{9,}/);
  });
}

async function run(args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data));
  const status = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  return { status, said };
}
