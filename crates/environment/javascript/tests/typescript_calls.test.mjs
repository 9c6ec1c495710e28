// Types across calls: what a later call sees of earlier ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Calls } from './typescript.mjs';

test('an error in call 3 about a variable of call 1', async (t) => {
  const calls = new Calls(t);
  await calls.begin('const x: number = 5;');
  await calls.begin('const unrelated = 1;');
  const result = await calls.check('\n  const s: string = x;');
  assert.deepEqual(result.errors, ['2:9 2322']);
  assert.equal(result.diagnostics[0].text, "Type 'number' is not assignable to type 'string'.");
  assert.equal(result.diagnostics[0].category, 'error');
});

test('a name is declared again with another type, and what was made of the older one keeps its type', async (t) => {
  const calls = new Calls(t);
  await calls.begin('const x: number = 5;');
  await calls.begin('const twice = x * 2; function more() { return x + 1; }');
  await calls.begin('const x = "text";');
  await calls.begin('x.toUpperCase(); twice.toFixed(); more().toFixed();');
  assert.deepEqual(await calls.errors('x.toFixed()'), ['1:3 2551']);
  await calls.begin('class x {}');
  await calls.begin('new x();');
});

test('a call that was not begun declares nothing', async (t) => {
  const calls = new Calls(t);
  assert.deepEqual(await calls.errors('const wrong: number = "a";'), ['1:7 2322']);
  assert.deepEqual(await calls.errors('wrong'), ['1:1 2304']);
  await calls.check('const right = 1;');
  assert.deepEqual(await calls.errors('right'), ['1:1 2304']);
});

test('interfaces merge', async (t) => {
  const calls = new Calls(t);
  await calls.begin('interface User { name: string } interface Box<T> { value: T }');
  await calls.begin('interface User { age: number }\nconst u: User = { name: "a", age: 1 };');
  assert.deepEqual(await calls.errors('const v: User = { age: 1 };'), ['1:7 2741']);
  await calls.begin('interface Box<T> { other: T } const b: Box<number> = { value: 1, other: 2 };');
  await calls.begin('b.value + b.other; u.name + u.age;');
});

test('an interface that contradicts the earlier one takes its place', async (t) => {
  const calls = new Calls(t);
  await calls.begin('interface User { id: number; name: string }');
  await calls.begin('interface User { id: string } const u: User = { id: "a" };');
  assert.deepEqual(await calls.errors('const v: User = { id: 1 };'), ['1:19 2322']);
});

test('namespaces merge, and enums', async (t) => {
  const calls = new Calls(t);
  await calls.begin('namespace N { export const a = 1; export let b = "s"; export class K {} } enum E { A }');
  await calls.begin('namespace N { export const c = a + b.length; } enum E { B = 1 } const e: E = E.A;');
  await calls.begin('N.a + N.b + N.c; N.b = "t"; const k: N.K = new N.K(); let f: E = E.B; f = e;');
  assert.deepEqual(await calls.errors('N.b = 1'), ['1:1 2322']);
  assert.deepEqual(await calls.errors('N.d; E.C'), ['1:3 2339', '1:8 2339']);
});

test('whether the parts of a name are exported does not matter', async (t) => {
  const calls = new Calls(t);
  await calls.begin('export interface User { name: string } enum E { A } namespace N { export const a = 1; export let l = 1; } export class K { k = 1 }');
  await calls.begin('interface User { age: number } export enum E { B = 1 } export namespace N { export const b = 2; } export namespace K { export const s = 1; }');
  await calls.begin('export interface User { more: 1 } enum E { C = 2 } namespace N { export const c = 3; } new K().k + K.s;');
  await calls.begin('const u: User = { name: "a", age: 1, more: 1 }; E.A + E.B + E.C + N.a + N.b + N.c; N.l = 2;');
  assert.deepEqual(await calls.errors('const v: User = { more: 1 };'), ['1:7 2739']);
});

test('a namespace goes on with a class of an earlier call', async (t) => {
  const calls = new Calls(t);
  await calls.begin('class Dog<T extends string> { constructor(private name: T) {} bark() { return this.name; } static count = 1; } abstract class Base { abstract a(): void }');
  await calls.begin('const rex = new Dog("rex");');
  await calls.begin('namespace Dog { export const legs = 4; export interface Tail { long: boolean } } namespace Base { export const made = 1; }');
  await calls.begin('let d: Dog<"a"> = new Dog("a"); let r: Dog<"rex"> = rex; d.bark() + Dog.legs + Dog.count; const t: Dog.Tail = { long: true }; class Full extends Base { a() {} } Base.made;');
  assert.deepEqual(await calls.errors('d.meow(); Dog.arms; new Dog(1); new Base();'), ['1:3 2339', '1:15 2339', '1:29 2345', '1:33 2511']);
  await calls.begin('namespace Dog { export const ears = Dog.legs / 2; }');
  await calls.begin('Dog.ears + Dog.legs + d.bark(); new Dog("b").bark();');
});

test('a value and a type of one name in two calls', async (t) => {
  const calls = new Calls(t);
  await calls.begin("import { z } from 'zod'; const User = z.object({ name: z.string() });");
  await calls.begin('type User = z.infer<typeof User>;');
  await calls.begin('const u: User = User.parse({ name: "a" }); u.name.length');
  assert.deepEqual(await calls.errors('const v: User = { name: 1 };'), ['1:19 2322']);
  await calls.begin('const User = 5; const w: User = { name: "b" };');
});

test('classes, generics, aliases, overloads', async (t) => {
  const calls = new Calls(t);
  await calls.begin(`class Store<T extends { id: number }> { items: T[] = []; add(t: T) { this.items.push(t); return this; } }
    type Pair<A, B = A> = [A, B]; function over(a: string): string; function over(a: number): number;
    function over(a: any) { return a; } function first<T>(all: T[]): T | undefined { return all[0]; }`);
  await calls.begin('class Sub extends Store<{ id: number; n: 1 }> {} const p: Pair<number> = [1, 2]; over("a").length;');
  assert.deepEqual(await calls.errors('new Sub().add({ id: 1 })'), ['1:15 2741']);
  assert.deepEqual(await calls.errors('const q: Pair<1, 2> = [1, 3]; over(true); first([1])!.length'), ['1:27 2322', '1:36 2769', '1:55 2339']);
});

test('variables can be assigned, constants cannot', async (t) => {
  const calls = new Calls(t);
  await calls.begin('let a: string | number = 1; var b = true; const c = 1; let [d, { e = 5, ...rest }] = [1, { e: 2, f: 3 }];');
  await calls.begin('a = "s"; b = false; d = 2; e = 3; rest = { f: 4 };');
  assert.deepEqual(await calls.errors('a = true; b = 1; c = 2; d = ""'), ['1:1 2322', '1:11 2322', '1:18 2588', '1:25 2322']);
});

test('imports are kept for later calls, as values and as types', async (t) => {
  const calls = new Calls(t);
  await calls.begin("import { z } from 'zod'; import _ from 'lodash'; import * as path2 from 'node:path'; import type { Stats } from 'node:fs';");
  await calls.begin('const s = z.object({ a: z.string() }); type S = z.infer<typeof s>; const t: S = { a: "x" }; _.chunk([1], 1); path2.join("a");');
  assert.deepEqual(await calls.errors('const t: S = { a: 5 }; let d: _.Dictionary<number> = { a: "" }; const st: Stats = 1;'), ['1:16 2322', '1:56 2322', '1:71 2322']);
  assert.deepEqual(await calls.errors('const Made = Stats'), ['1:14 1361']);
});

test('calls of JavaScript are in scope, with inferred types', async (t) => {
  const calls = new Calls(t);
  calls.note('class Point { constructor(x) { this.x = x * 1; } get twice() { return this.x * 2; } }\nlet count = 0; async function load() { return { n: 1 }; }\nconst { join } = require("node:path");');
  await calls.begin('const p: Point = new Point(1); p.x.toFixed(); p.twice.toFixed(); count = 1; (await load()).n.toFixed(); join("a");');
  assert.deepEqual(await calls.errors('count = "s"; p.twice.length; (await load()).m'), ['1:1 2322', '1:22 2339', '1:45 2339']);
  calls.note('this is not JavaScript');
  calls.note('const count = "now text"');
  await calls.begin('count.toUpperCase()');
});

test('declare global, export, using, top-level await, satisfies', async (t) => {
  const calls = new Calls(t);
  await calls.begin('declare global { interface Array<T> { total(): number } var shared: number }\nArray.prototype.total = function () { return 1; };');
  await calls.begin('[1].total().toFixed(); shared.toFixed();');
  await calls.begin('export const out = 1; export interface Out { a: 1 } export default function named() { return "s"; }');
  await calls.begin('const o: Out = { a: 1 }; out.toFixed(); named().length;');
  await calls.begin('using handle = { [Symbol.dispose]() {} }; const got = await Promise.resolve(1); const plain = await 2; const ok = { a: 1 } satisfies Record<string, number>;');
  assert.deepEqual(await calls.errors('got.length; plain.length; ok.b; ({ a: "" }) satisfies Record<string, number>'), ['1:5 2339', '1:19 2339', '1:30 2339', '1:36 2322']);
});

test('a name that is global otherwise belongs to the call that declared it', async (t) => {
  const calls = new Calls(t);
  await calls.begin('fs.readFileSync; path.join("a"); os.cpus().length; process.pid; Buffer.from("a"); fetch; require("node:fs"); __dirname;');
  await calls.begin('const path = "/x"; const process = 5; const name = 3;');
  await calls.begin('path.length + process.toFixed() + name.toFixed();');
  await calls.begin('display(1); display.html("<b>");');
  assert.deepEqual(await calls.errors('document.title; window'), ['1:1 2584', '1:17 2304']);
});

test('forget', async (t) => {
  const calls = new Calls(t);
  await calls.begin('const x = 1;');
  calls.ts.forget();
  assert.deepEqual(await calls.errors('x'), ['1:1 2304']);
});

test('calls that nothing refers to any more do not slow a check down, and old names stay known', async (t) => {
  const calls = new Calls(t);
  await calls.begin('const first = 1; interface Kept { a: 1 }');
  for (let at = 0; at < 130; at += 1) await calls.begin(`const again = ${at}; function step${at}() { return again; }`);
  await calls.begin('first.toFixed(); const k: Kept = { a: 1 }; step3().toFixed();');
  assert.deepEqual(await calls.errors('const l: Kept = { a: 2 }'), ['1:19 2322']);
});

test('globals of the kernel: crypto is the module, display shows', async (t) => {
  const calls = new Calls(t);
  await calls.begin('crypto.createHash("md5"); crypto.subtle.digest; crypto.randomUUID().length; display.html`<b>${1}`; display({}, { display_id: "a" });');
  assert.deepEqual(await calls.errors('crypto.nothing; display.nothing()'), ['1:8 2339', '1:25 2339']);
  await calls.begin('const crypto = 5; crypto.toFixed();');
  await calls.begin('crypto.toFixed()');
});

test('what is empty at first takes what it is given later', async (t) => {
  const calls = new Calls(t);
  await calls.begin('let later; let nothing = null; const list = []; const table = {} as Record<string, number>;');
  await calls.begin('later = 5; nothing = "x"; list.push(1); table.a = 1; list[0];');
});

test('calls work in any directory', async (t) => {
  const calls = new Calls(t);
  await calls.begin('const here: number = 1;');
  calls.cwd = '/';
  calls.note('const noted = 5');
  await calls.begin('here.toFixed() + noted.toFixed()');
  calls.cwd = '/nowhere/at/all';
  assert.deepEqual(await calls.errors('here.length'), ['1:6 2339']);
});

test('a name is known however many calls lie between, and any where a check would have too many of them', async (t) => {
  for (const [furthest, wrong] of [[undefined, ['1:6 2339', '1:16 2339', '1:29 2339']], [16, ['1:6 2339']]]) {
    const calls = new Calls(t, { furthest });
    await calls.begin('const n0 = { a: 1 };');
    for (let at = 1; at < 120; at += 1) await calls.begin(`const n${at} = { a: n${at - 1}.a };`);
    assert.deepEqual(await calls.errors('n119.b; n119.a.wrong; n80.a.wrong'), wrong);
  }
});
