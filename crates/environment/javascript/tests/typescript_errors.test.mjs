// How errors are told: where, and in which words.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { printed } from '../cellblock_kernel_js/typescript/index.mjs';
import { Calls } from './typescript.mjs';

test('syntax errors have line, column and code, and are all that is said', async (t) => {
  const calls = new Calls(t);
  const result = await calls.check('const wrong: number = "a";\nlet b = ;');
  assert.deepEqual(result.errors, ['2:9 1109']);
  assert.equal(result.diagnostics[0].text, 'Expression expected.');
  assert.deepEqual(await calls.errors('f(1'), ['1:4 1005']);
  assert.deepEqual(await calls.errors('/* open'), ['1:8 1010']);
});

test('columns count UTF-16 units; tabs, line ends and a mark at the start count as tsc counts them', async (t) => {
  const calls = new Calls(t);
  assert.deepEqual(await calls.errors('"😀é"; const a: string = 1;'), ['1:14 2322']);
  assert.deepEqual(await calls.errors('\t\tconst a: string = 1;'), ['1:9 2322']);
  assert.deepEqual(await calls.errors('1;\r\n2;\r\nconst a: string = 1;\r\n'), ['3:7 2322']);
  assert.deepEqual(await calls.errors('1;\r2;\u20283;\nconst a: string = 1;'), ['4:7 2322']);
  assert.deepEqual(await calls.errors('\ufeffconst a: string = 1;'), ['1:8 2322']);
  const [one] = (await calls.check('const a: string =\n  [\n1];')).diagnostics;
  assert.deepEqual([one.line, one.column, one.endLine, one.endColumn, one.length], [1, 7, 1, 8, 1]);
});

test('what explains an error is set in below it', async (t) => {
  const calls = new Calls(t);
  await calls.begin('interface In { a: { b: string } }');
  const [one] = (await calls.check('const made = { a: { b: 1 } };\nconst v: In = made;')).diagnostics;
  assert.equal(one.text, [
    "Type '{ a: { b: number; }; }' is not assignable to type 'In'.",
    "  The types of 'a.b' are incompatible between these types.",
    "    Type 'number' is not assignable to type 'string'.",
  ].join('\n'));
});

test('what an error refers to in the same call is told as well', async (t) => {
  const calls = new Calls(t);
  const result = await calls.check('const a = 1;\nconst a = 2;');
  assert.deepEqual(result.errors, ['1:7 2451', '2:7 2451']);
  const late = await calls.check('late;\nconst late = 1;');
  assert.deepEqual(late.diagnostics[0].related, [{ line: 2, column: 7, text: "'late' is declared here." }]);
  assert.ok(printed(late, 'cell-9.ts').startsWith('cell-9.ts(1,1): error TS2448: '));
  assert.ok(printed(late, 'cell-9.ts').includes("\n  cell-9.ts(2,7): 'late' is declared here."));
});

test('twenty errors are shown, and the others counted', async (t) => {
  const calls = new Calls(t);
  const result = await calls.check(Array.from({ length: 27 }, (_, at) => `const v${at}: string = ${at};`).join('\n'));
  assert.equal(result.diagnostics.length, 20);
  assert.equal(result.more, 7);
  assert.ok(printed(result, 'x').endsWith('\nand 7 more errors'));
});

test('our own files are not named', async (t) => {
  const calls = new Calls(t);
  await calls.begin('class Same { private a = 1; }');
  await calls.begin('const old = new Same();');
  const [one] = (await calls.check('class Same { private a = 2; }\nconst s: Same = old;')).diagnostics;
  assert.equal(one.line, 2);
  assert.ok(!/cellblock|\$call|import\(/.test(one.text), one.text);
});

test('packages: unknown, without types, and what the runtime finds', async (t) => {
  const calls = new Calls(t, { resolves: (name) => name === 'elsewhere' });
  const [one] = (await calls.check("import nothing from 'nopkg/sub';")).diagnostics;
  assert.equal(one.code, 2307);
  assert.ok(one.text.endsWith("Install it with 'npm install nopkg' if it is a package."));
  const place = join(calls.cwd, 'node_modules/untyped');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), '{"name":"untyped","main":"index.js"}');
  writeFileSync(join(place, 'index.js'), 'module.exports = { a: 1 };');
  await calls.begin("import untyped from 'untyped'; untyped.what.ever(1); import other from 'elsewhere'; other.a.b; import web from 'npm:web@1'; web.c;");
  await calls.begin('untyped.again; other.again; web.again;');
});

test('the user\'s own files are seen as they are now', async (t) => {
  const calls = new Calls(t);
  const use = 'import { h } from "./helper"; import data from "./data.json"; import { js } from "./plain.js"; h.length; data.n.toFixed(); js(1).toFixed();';
  assert.deepEqual(await calls.errors(use), ['1:19 2307', '1:48 2307', '1:82 2307']);
  writeFileSync(join(calls.cwd, 'helper.ts'), 'export const h = 1;');
  writeFileSync(join(calls.cwd, 'data.json'), '{"n": 1}');
  writeFileSync(join(calls.cwd, 'plain.js'), 'export function js(a) { return 1; }');
  assert.deepEqual(await calls.errors(use), ['1:98 2339']);
  writeFileSync(join(calls.cwd, 'helper.ts'), 'export const h = "text";');
  await calls.begin(use);
  await calls.begin('import { h as again } from "./helper.ts"; again.length;');
});

test('strict, but not where it only annoys', async (t) => {
  const calls = new Calls(t);
  await calls.begin('const unused = 1; 1, 2; unused; function f() { return 1; 2; } try { f(); } catch (e) { console.log(e.message); }');
  assert.deepEqual(await calls.errors('function g(a) { return a; }\nlet n: string | undefined = undefined as any; n.length; null!.x'), ['1:12 7006', '2:47 18048', '2:63 2339']);
});
