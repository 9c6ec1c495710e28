// The user's own files that a call imports are checked with it.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { printed } from '../cellblock_kernel_js/typescript/index.mjs';
import { Calls } from './typescript.mjs';

/** A session whose directory has these files. */
function workspace(t, files, options) {
  const calls = new Calls(t, options);
  write(calls, files);
  return calls;
}

function write(calls, files) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(calls.cwd, name)), { recursive: true });
    writeFileSync(join(calls.cwd, name), text);
  }
}

/** As `tsc` prints what is wrong with a call. */
async function told(calls, code) {
  return printed(await calls.check(code), 'call').split('\n').map((line) => line.replace(/: error (TS\d+): .*/, ' $1'));
}

test('what is wrong in a file is told with its name and place, however it is imported', async (t) => {
  const calls = workspace(t, { 'lib.ts': 'export const a = 1;\n\nexport const load: string = 5;' });
  for (const code of [
    "import { a } from './lib'; a",
    "import { a } from './lib.js'; a",
    "import './lib.ts'",
    "import lib = require('./lib'); lib.a",
    "const { a } = await import('./lib')",
    "export { a } from './lib'",
    "import type { load } from './lib'",
  ]) assert.deepEqual(await told(calls, code), ['lib.ts(3,14) TS2322'], code);
  const [one] = (await calls.check("import './lib'")).diagnostics;
  assert.equal(one.shown, 'export const load: string = 5;');
});

test('the call\'s own errors come first, and a file\'s are told whatever lies between', async (t) => {
  const calls = workspace(t, {
    'one/index.ts': "export * from '../two.mjs';", 'two.mts': "export { three } from './three.js';",
    'three.js': "export { default as three } from './deep/four.ts';",
    'deep/four.ts': "import '../one';\nconst wrong: number = 'a'; export default wrong;",
  });
  assert.deepEqual(await told(calls, "import { three } from './one';\nthree.length"), ['call(2,7) TS2339', 'deep/four.ts(2,7) TS2322']);
});

test('a file that is no TypeScript is all that is told', async (t) => {
  const calls = workspace(t, { 'bad.ts': 'export const a: = 1;', 'uses.ts': "import { a } from './bad'; export const b: string = 5;" });
  assert.deepEqual(await told(calls, "import { b } from './uses'; b.nothing"), ['bad.ts(1,17) TS1110']);
});

test('a file that a call does not import says nothing about it, and one that was mended nothing any more', async (t) => {
  const calls = workspace(t, { 'lib.ts': 'export const a: number = 1;' });
  await calls.begin("import { a } from './lib';");
  write(calls, { 'lib.ts': 'export const a: number = "text";' });
  await calls.begin('a.toFixed()');
  assert.deepEqual(await told(calls, "import { a as b } from './lib'"), ['lib.ts(1,14) TS2322']);
  write(calls, { 'lib.ts': 'export const a: string = "text!";' });
  await calls.begin("import { a as c } from './lib'; c.length");
});

test('JavaScript, declarations, packages and what is not to be checked are not', async (t) => {
  const calls = workspace(t, {
    'plain.js': '/** @type {number} */\nexport const a = "text"; a.nothing;',
    'says.d.ts': 'export const b: Nothing;', 'says.js': 'export const b = 1;',
    'not.ts': '// @ts-nocheck\nexport const c: number = "a";', 'this.ts': '// @ts-ignore\nexport const d: number = "a";',
    'node_modules/typed/package.json': '{"name":"typed","types":"index.d.ts","main":"index.js"}',
    'node_modules/typed/index.d.ts': 'export const e: Nothing;',
    'node_modules/source/index.ts': 'export const f: number = "a";',
  });
  await calls.begin("import { a } from './plain'; import { b } from './says'; import { c } from './not'; import { d } from './this';\nimport { e } from 'typed'; import { f } from 'source'; [a, b, c, d, e, f]");
});

test('a file outside of the directory is called by its whole name', async (t) => {
  const calls = workspace(t, { '../other.ts': 'export const a: string = 1;' });
  assert.deepEqual(await told(calls, "import '../other'"), [`${join(dirname(calls.cwd), 'other.ts')}(1,14) TS2322`]);
});

test('a package that is unknown to TypeScript alone is any in a file too', async (t) => {
  const calls = workspace(t, { 'lib.ts': "import x from 'elsewhere'; import y from 'nowhere'; export default x.a + y;" }, { resolves: (name) => name === 'elsewhere' });
  assert.deepEqual(await told(calls, "import './lib'"), ['lib.ts(1,42) TS2307']);
});
