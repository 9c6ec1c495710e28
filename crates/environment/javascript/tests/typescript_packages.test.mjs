// Packages that a session installs: their types, as they are at the time of a call.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { Calls } from './typescript.mjs';

/** A directory of packages as `npm install` leaves it; gives the function that installs into it. */
function installer(place) {
  return (name, files) => {
    rmSync(join(place, name), { recursive: true, force: true });
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(place, name, file)), { recursive: true });
      writeFileSync(join(place, name, file), typeof text === 'string' ? text : JSON.stringify(text));
    }
  };
}

const modern = (type) => ({
  'package.json': { name: 'modern', type: 'module', exports: { '.': { types: './types/main.d.ts', default: './main.js' }, './sub': { types: './sub.d.mts', default: './sub.mjs' } } },
  'main.js': '', 'sub.mjs': '',
  'types/main.d.ts': `export declare const a: ${type}; export default function f(): string; import './broken'; export const wrong: Nothing;`,
  'sub.d.mts': 'export declare const s: number;',
});
const plain = { 'package.json': { name: 'plain', main: 'index.js' }, 'index.js': 'exports.p = 1; exports.deep = { q: 2 };' };
const types = { 'package.json': { name: '@types/plain', types: 'index.d.ts' }, 'index.d.ts': 'declare const plain: { p: number }; export = plain;' };

/** A session that sees two places of packages, as a cell does: its own through a link, then the environment's. */
function layered(t) {
  const calls = new Calls(t);
  const home = mkdtempSync(join(tmpdir(), 'typescript-layer-'));
  t.after(() => rmSync(home, { recursive: true }));
  const own = join(home, 'lib/node_modules');
  mkdirSync(own, { recursive: true });
  const link = join(dirname(calls.cwd), 'node_modules');
  rmSync(link);
  symlinkSync(own, link);
  return { calls, install: installer(own), beside: installer(join(calls.cwd, 'node_modules')) };
}

test('what was not there and then is installed is found, and another version takes its place', async (t) => {
  const { calls, install } = layered(t);
  const use = "import f, { a } from 'modern'; import { s } from 'modern/sub'; f().length + a.toFixed() + s.toFixed();";
  assert.deepEqual(await calls.errors(use), ['1:22 2307', '1:50 2307']);
  install('modern', modern('number'));
  await calls.begin(use);
  assert.deepEqual(await calls.errors('a.length + s.length'), ['1:3 2339', '1:14 2339']);
  install('modern', modern('string'));
  await calls.begin("import { a as b } from 'modern'; b.length");
  assert.deepEqual(await calls.errors("import { a as b } from 'modern'; b.toFixed()"), ['1:36 2551']);
  install('modern', modern('() => Date'));
  await calls.begin("import { a as b } from 'modern'; b().getTime();");
});

test('a package without types is any, until its types are installed', async (t) => {
  const { calls, install } = layered(t);
  install('plain', plain);
  await calls.begin("import plain, { deep } from 'plain'; plain.nothing.at.all(deep.what); import type { Any } from 'plain'; let any: Any;");
  await calls.begin('plain.again; deep.again; const one: number = deep;');
  install('@types/plain', types);
  assert.deepEqual(await calls.errors("import plain from 'plain'; plain.p.toFixed(); plain.deep"), ['1:53 2339']);
});

test('beside the code, then the session\'s own, then the environment\'s', async (t) => {
  const { calls, install, beside } = layered(t);
  assert.deepEqual(await calls.errors("import { a } from 'modern';"), ['1:19 2307']);
  install('modern', modern('number'));
  await calls.begin("import { a } from 'modern'; a.toFixed()");
  beside('modern', modern('string'));
  await calls.begin("import { a } from 'modern'; a.length");
  beside('modern', modern('boolean'));
  assert.deepEqual(await calls.errors("import { a } from 'modern'; a.length"), ['1:31 2339']);
});
