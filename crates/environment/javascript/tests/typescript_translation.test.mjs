// What TypeScript becomes: positions that stay, and code where syntax stands for code.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Calls, evaluated } from './typescript.mjs';

/** The JavaScript of a call that is right and begun. */
async function made(calls, code) {
  const { javascript, map } = await calls.begin(code);
  return { javascript, map };
}

test('what can be left out is blanks, and every position stays', async (t) => {
  const calls = new Calls(t);
  const code = `const a: number = 1;
type T<X> = { x: X };
function f<X>(this: void, x?: X, ...rest: string[]): x is X { return true }
abstract class A<X> implements T<X> { declare d: 1; readonly x: X; private z?: X; static y?: number; [k: string]: any;
  constructor(x: X) { this.x = x as any; } abstract g(): void; protected h(): void {} }
let u!: string, v = <number>a, w = (a satisfies number)!, arrow = async <X,>(x: X): Promise<X> => x, g = new Map<string, number>([]);
try { throw a } catch (e: unknown) {}
const tag = <X,>(s: TemplateStringsArray) => s.length, tagged = tag<string>\`x\`;
f(1);`;
  const { javascript, map } = await made(calls, code);
  assert.equal(map, null);
  assert.equal(javascript.length, code.length);
  assert.deepEqual([...javascript.matchAll(/\n/g)].map((one) => one.index), [...code.matchAll(/\n/g)].map((one) => one.index));
  for (let at = 0; at < code.length; at += 1) assert.ok(javascript[at] === code[at] || ' ;'.includes(javascript[at]), `${at}`);
  assert.equal(await evaluated(javascript), true);
});

test('JavaScript stays as it is, to the character', async (t) => {
  const calls = new Calls(t);
  const code = 'const a = [1, 2].map((x) => x * 2);\nclass A { #x = 1; get x() { return this.#x; } static y; static { this.y = 1; } }\nlabel: for (const b of a) { if (b < 3 && b > 1) continue label; }\na?.[0] ?? /re</.test("<b>") ? `${a}` : !a';
  assert.equal((await made(calls, code)).javascript, code);
});

test('where a line would be read on without its type, nothing is joined', async (t) => {
  const calls = new Calls(t);
  const before = 'var from = 1; var hit = 0; var list = [() => { hit += 1; return hit; }];';
  await calls.begin(before);
  const { javascript } = await made(calls, 'let b = from as any\n(list[0]!());\nlet c: number\n[hit] = [7]\nlet d = from\ntype X = 1\n(list)[0]!();hit');
  await evaluated(before);
  assert.equal(await evaluated(javascript), 8);
});

test('the value of the last expression is kept', async (t) => {
  const calls = new Calls(t);
  assert.equal(await evaluated((await made(calls, 'const l1: number = 20; l1 * 2 as number')).javascript), 40);
  assert.equal(await evaluated((await made(calls, 'enum Last { A = 3 } const l2: Last = Last.A; l2 + 1')).javascript), 4);
  assert.equal(await evaluated((await made(calls, '41 + 1\ninterface Nothing {}')).javascript), 42);
  assert.equal(await evaluated((await made(calls, 'enum Only { A }\n"text"')).javascript), 'text');
});

test('enums and namespaces become names that later calls see, and go on over calls', async (t) => {
  const calls = new Calls(t);
  const run = async (code) => evaluated((await made(calls, code)).javascript);
  await run('enum Color { Red, Green = "g" } namespace Space { export const one = 1; export let two = 2; } const enum Fixed { A = 5 }');
  assert.equal(await run('Color.Red + Color.Green + Space.one + Fixed.A'), '0g15');
  await run('enum Color { Blue = 7 } namespace Space { export const three = one + two; }');
  assert.equal(await run('Space.three + Space.one + Color.Blue + Color[0]'), '11Red');
  await run('enum Space { New }');
  assert.equal(await run('Object.keys(Space).join()'), '0,New');
});

test('parameter properties, decorators, accessors', async (t) => {
  const calls = new Calls(t);
  const run = async (code) => evaluated((await made(calls, code)).javascript);
  await run('class P { constructor(public a: number, readonly b = 2) {} }');
  assert.equal(await run('new P(1).a + new P(1).b'), 3);
  await run(`function twice<T>(value: (this: T, n: number) => number, c: ClassMethodDecoratorContext) { return function (this: T, n: number) { return value.call(this, n) * 2; }; }
    function start(n: number) { return (_: undefined, c: ClassFieldDecoratorContext) => (value: number) => value + n; }
    class D1 { @start(10) x = 1; @twice m(n: number) { return n; } accessor acc = 4; }`);
  await run('class D2 { @start(20) x = 2; @start(30) y = 3; }');
  // The first class's constructor still has its own decorators' work to do.
  assert.equal(await run('[new D1().x, new D1().m(4), new D1().acc, new D2().x, new D2().y].join()'), '11,8,4,22,33');
});

test('imports: values stay though nothing uses them, types go', async (t) => {
  const calls = new Calls(t);
  const both = "import type { Stats } from 'node:fs'; import { Dirent, readFileSync, type PathLike } from 'node:fs'; import { ParsedPath } from 'node:path'; import * as os2 from 'node:os'; import 'node:url'; import E, { once } from 'node:events';";
  const plain = (text) => text.replace(/\s+/g, ' ');
  const wanted = "import { Dirent, readFileSync, } from 'node:fs'; import * as os2 from 'node:os'; import 'node:url'; import E, { once } from 'node:events';";
  assert.equal(plain((await made(calls, both)).javascript).trim(), wanted);
  const { javascript } = await made(calls, `${both} enum Now { A }`);
  assert.ok(!/Stats|PathLike|ParsedPath|node:path/.test(javascript));
  assert.ok(/Dirent,\s+readFileSync/.test(javascript) && /os2/.test(javascript) && /once/.test(javascript) && /node:url/.test(javascript));
});

test('an import of a local name, and a function inside of a namespace', async (t) => {
  const calls = new Calls(t);
  const run = async (code) => evaluated((await made(calls, code)).javascript);
  await run('namespace Deep { export namespace Er { export function f(): number { return 6; } } }');
  assert.equal(await run('import short = Deep.Er; short.f()'), 6);
});

test('a source map tells where translated code was', async (t) => {
  const calls = new Calls(t);
  const { javascript, map } = await made(calls, 'enum M { A }\n\n\nfunction thrower(): never { throw new Error("here"); }');
  assert.equal(map.version, 3);
  const { SourceMap } = await import('node:module');
  const lines = javascript.split('\n');
  const line = lines.findIndex((one) => one.includes('throw new'));
  const origin = new SourceMap(map).findEntry(line, lines[line].indexOf('throw'));
  assert.deepEqual([origin.originalLine, origin.originalColumn], [3, 28]);
  assert.deepEqual(map.sources, [`cell-${calls.number}.ts`]);
});

test('nothing, and nothing but comments', async (t) => {
  const calls = new Calls(t);
  for (const code of ['', '\n', '// one', '/* two */\n', '\ufeff', '#!/usr/bin/env node\n']) {
    const { javascript, map } = await made(calls, code);
    assert.equal(javascript, code.replace('\ufeff', ' '));
    assert.equal(map, null);
  }
});

test('with type errors the translation is there all the same, with syntax errors it is not', async (t) => {
  const calls = new Calls(t);
  assert.equal((await calls.check('const a: string = 1;')).javascript, 'const a         = 1;');
  assert.equal((await calls.check('const a: = 1;')).javascript, null);
});

test('import x = require(…)', async (t) => {
  const calls = new Calls(t);
  const { javascript } = await made(calls, "import required = require('node:path');\nimport ordinary from 'node:path';\nrequired.join('a') + ordinary.join('b');");
  assert.match(javascript, /required = require\(["']node:path["']\)/);
  assert.match(javascript, /import ordinary from ["']node:path["']/);
  assert.deepEqual(await calls.errors('required.nothing'), ['1:10 2339']);
});
