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

test('elements are refused in one sentence, and only where they are what is wrong', async (t) => {
  const calls = new Calls(t);
  const result = await calls.check('const a = 1;\nconst page = <div>hello</div>;\nfunction Page() { return <Foo a={1}>x<br/></Foo>; }');
  assert.deepEqual(result.errors, ['2:14 17004']);
  assert.match(result.diagnostics[0].text, /^JSX is not translated here/);
  assert.deepEqual(await calls.errors('<div>hello</div'), ['1:12 1161']);
  await calls.begin('const text = "<a></a><br/>"; const b = <number>a2 / 2 / 1; var a2: any;');
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
  assert.ok(one.text.endsWith("If it is a package, 'npm install nopkg' adds it where the network is allowed."));
  // Of a name that comes with types alone nothing would run.
  const [unknown] = (await calls.check("describe('a', 1);")).diagnostics;
  assert.equal(unknown.text, "Cannot find name 'describe'.");
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
  assert.deepEqual(await calls.errors('let n: string | undefined = undefined as any; n.length; null!.x'), ['1:47 18048', '1:63 2339']);
});

test('what is not said to have a type is any', async (t) => {
  const calls = new Calls(t);
  await calls.begin(`const rows = JSON.parse('[{"a": 1}]'); rows.filter((row) => row.a > 1).map(({ a }) => a);
    function add(a, b = 1, ...rest) { return a + b + rest.length; } add(1, 2); function Point(x) { this.x = x; } new Point(1).x;
    const counts = {}; for (const word of ['a', 'b']) counts[word] = (counts[word] || 0) + 1;
    const both = { one: 1, two: 2 }; for (const key of Object.keys(both)) both[key]; for (const key in both) both[key] += 1;
    const proxy = new Proxy({}, { get(target, key) { return key; } }); class Loose { a; b = null; m(x) { this.a = x; } }
    function again(n) { return n > 0 ? again(n - 1) : n; } globalThis.answer = 42; declare module 'untyped' { export const q: number }`);
  await calls.begin('let first; first = 5; first.toFixed(); const list = []; list.push(1); list[0].toFixed(); const data = await (await fetch("")).json(); data.a.b; const typed: { a: 1 } = await (await fetch("")).json();');
  assert.deepEqual(await calls.errors('let first; first = 5; first.length;'), ['1:29 2339']);
  // What is said, or can be seen, is checked.
  assert.deepEqual(await calls.errors('both.three; both["three"]; add(); [1].map((n) => n.length); rows.map((row: string) => row.x)'),
    ['1:6 2339', '1:13 7053', '1:28 2555', '1:52 2339', '1:91 2339']);
});

test('a name that the runtime knows is any', async (t) => {
  const calls = new Calls(t, { lives: (name) => name === 'put' });
  await calls.begin('put.anything(1); const a = { put }; let b: put; put = 5; typeof put; class Own extends put {}');
  assert.deepEqual(await calls.errors('putt; ({ putt }); document; let n: number = putt;'), ['1:1 2304', '1:10 18004', '1:19 2584', '1:45 2304']);
});
