// Blanks against esbuild, on what people have written: a text whose types are blanked out is the program that esbuild
// makes of the text itself. And how long a check takes.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { Server } from '../cellblock_kernel_js/typescript/server.mjs';
import { parsing } from '../cellblock_kernel_js/typescript/settings.mjs';
import { stripped } from '../cellblock_kernel_js/typescript/strip.mjs';
import { load, Tree } from '../cellblock_kernel_js/typescript/tree.mjs';
import { Calls, libraries } from './typescript.mjs';

/** Source files among the libraries; some packages ship theirs. */
function sources() {
  return readdirSync(libraries, { recursive: true })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.startsWith('typescript/'))
    .map((file) => join(libraries, file));
}

/** Without what may differ: empty statements, and imports of nothing. */
function essence(code) {
  let before;
  do {
    before = code;
    code = code.replace(/import\{\}from"[^"]*";|import"[^"]*";|export\{\}(from"[^"]*")?;/g, '').replace(/;;+/g, ';')
      .replace(/([{}]);/g, '$1').replace(/;\}/g, '}').replace(/^;/, '');
  } while (code !== before);
  return code;
}

/**
 * Blanks every file and holds it against esbuild; gives how many could be blanked. `read` gives files that are not on
 * the disk.
 */
async function compared(t, files, read = () => undefined) {
  await load(libraries);
  const settings = parsing(files);
  const server = new Server(`${libraries}/@typescript/typescript-linux-${process.arch}/lib/tsc`, {
    cwd: '/', memory: 256, read: (path) => (path === '/corpus/tsconfig.json' ? settings : read(path)),
  });
  t.after(() => server.close());
  const { default: esbuild } = await import(pathToFileURL(`${libraries}/esbuild/lib/main.js`).href);
  t.after(() => esbuild.stop());
  const plain = { target: 'esnext', minifyWhitespace: true, legalComments: 'none', charset: 'utf8' };
  const tsconfigRaw = { compilerOptions: { useDefineForClassFields: true, verbatimModuleSyntax: true } };
  const { snapshot, projects } = await server.call('updateSnapshot', { openProjects: ['/corpus/tsconfig.json'] });
  let blanked = 0;
  for (const file of files) {
    const text = read(file) ?? readFileSync(file, 'utf8');
    const place = { snapshot, project: projects[0].id, file };
    assert.deepEqual(await server.call('getSyntacticDiagnostics', place) ?? [], [], text);
    const { data } = await server.call('getSourceFile', place);
    const { javascript, whole } = stripped(new Tree(data, text), text, new Set());
    if (!whole) continue;
    blanked += 1;
    assert.equal(javascript.length, text.length, text);
    const wanted = await esbuild.transform(text, { ...plain, loader: 'ts', tsconfigRaw });
    const got = await esbuild.transform(javascript, { ...plain, loader: 'js' });
    assert.equal(essence(got.code), essence(wanted.code), text);
  }
  return blanked;
}

test('the libraries\' own sources stay the same programs', async (t) => {
  const files = sources();
  assert.ok(files.length > 10, `${files.length} files of TypeScript among the libraries`);
  const blanked = await compared(t, files);
  assert.ok(blanked > files.length / 2, `${blanked} of ${files.length}`);
});

test('what is known to be hard stays the same program, or is left to esbuild', async (t) => {
  const all = readFileSync(join(import.meta.dirname, 'typescript_hard.txt'), 'utf8').split('\n----\n');
  const files = new Map(all.map((text, at) => [`/corpus/hard${at}.ts`, text]));
  const blanked = await compared(t, [...files.keys()], (path) => files.get(path));
  assert.ok(blanked > all.length / 2, `${blanked} of ${all.length}`);
});

/** Thirty lines that refer to the call before. */
function thirty(at) {
  return `interface Row${at} { id: number; tags: string[] }
const rows${at}: Row${at}[] = Array.from({ length: 10 }, (_, k) => ({ id: k, tags: [String(k)] }));
class Store${at}<T extends { id: number }> {
  private items = new Map<number, T>();
  add(item: T): this { this.items.set(item.id, item); return this; }
  get(id: number): T | undefined { return this.items.get(id); }
}
const store${at} = new Store${at}<Row${at}>();
for (const row of rows${at}) store${at}.add(row);
const before${at} = ${at > 1 ? `rows${at - 1}.length + rows1.length + math.add(1, 2) + _.chunk([1, 2], 1).length` : 0};
const said${at}: Said = { a: String(before${at}) };
${Array.from({ length: 20 }, (_, k) => `function f${at}_${k}(a: number[]): number[] { return a.map((v) => v * ${k}).filter((v) => v > 1); }`).join('\n')}`;
}

test('a warm check of thirty lines is quick, with 1, 20 and 200 calls before it', async (t) => {
  const calls = new Calls(t);
  await calls.begin("import _ from 'lodash'; import { z } from 'zod'; import * as math from 'mathjs';\nconst said = z.object({ a: z.string() }); type Said = z.infer<typeof said>;");
  // It takes 10 to 30 ms of a machine that does nothing else. The bound is for a busy one, and is still far below what
  // a check takes that begins anew (the libraries' types alone are half a second).
  let taken = [];
  for (let at = 1; at <= 210; at += 1) {
    const started = performance.now();
    await calls.begin(thirty(at));
    taken.push(performance.now() - started);
    if (at === 10 || at === 30 || at === 210) {
      const median = taken.sort((one, other) => one - other)[taken.length >> 1];
      t.diagnostic(`median ${median.toFixed(1)} ms, best ${taken[0].toFixed(1)} ms, with ${at - 9} calls before it`);
      assert.ok(median < 400, `${median} ms`);
    }
    if (at === 1 || at === 20 || at === 200) taken = [];
  }
});
