// The compiler's process: when there is one, what becomes of it, and what it takes.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { promisify } from 'node:util';

import { Calls, libraries } from './typescript.mjs';

const run = promisify(execFile);

/** Waits until `true_()`, for at most ten seconds. */
async function until(true_) {
  for (let left = 1000; !true_(); left -= 1) {
    assert.ok(left > 0, `${true_} within ten seconds`);
    await after(10);
  }
}

const lives = (pid) => existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

test('there is none before it is needed, and none after it was idle; what was declared stays', async (t) => {
  const calls = new Calls(t, { idle: 50 });
  assert.equal(calls.ts.pid, undefined);
  await calls.begin('const kept: number = 1; interface Kept { a: 1 }');
  const { pid } = calls.ts;
  assert.ok(lives(pid));
  await until(() => !lives(pid));
  assert.equal(calls.ts.pid, undefined);
  assert.deepEqual(await calls.errors('kept.length; const k: Kept = { a: 2 };'), ['1:6 2339', '1:32 2322']);
  assert.notEqual(calls.ts.pid, pid);
});

test('killed between checks or within one, it is started again', async (t) => {
  const calls = new Calls(t);
  await calls.begin('const kept: number = 1;');
  process.kill(calls.ts.pid, 'SIGKILL');
  assert.deepEqual(await calls.errors('kept.length'), ['1:6 2339']);
  const { pid } = calls.ts;
  const asked = calls.errors('kept.length');
  process.kill(pid, 'SIGKILL');
  assert.deepEqual(await asked, ['1:6 2339']);
});

test('without a compiler it is said that types were not checked', async (t) => {
  const calls = new Calls(t, { libraries: '/nowhere' });
  const result = await calls.check('const a: number = 1;');
  assert.match(result.unavailable, /^types could not be checked: /);
  assert.equal(result.diagnostics.length, 1);
  assert.deepEqual([result.diagnostics[0].category, result.diagnostics[0].line, result.diagnostics[0].column], ['error', 1, 1]);
});

test('calls are checked one after the other, however they are asked for', async (t) => {
  const calls = new Calls(t);
  const all = await Promise.all(Array.from({ length: 8 }, (_, at) => calls.errors(`const a${at}: string = ${at};`)));
  assert.deepEqual(all, Array.from({ length: 8 }, () => ['1:7 2322']));
});

test('a cell of a megabyte', async (t) => {
  const calls = new Calls(t);
  let code = '';
  for (let at = 0; code.length < 1 << 20; at += 1) code += `const v${at}: number = ${at}; function f${at}(a: string): number { return a.length + v${at}; }\n`;
  const { javascript, map } = await calls.begin(code);
  assert.equal(javascript.length, code.length);
  assert.equal(map, null);
  assert.deepEqual(await calls.errors('f3("a").length'), ['1:9 2339']);
});

test('a deep expression is translated though blanks cannot be put into it', async (t) => {
  const calls = new Calls(t);
  const { javascript } = await calls.begin(`const sum: number = ${'1 + '.repeat(3000)}1;`);
  assert.ok(javascript.includes('1 + 1'));
});

/** What a program of its own prints that checks one call with `runtime`. */
async function alone(command, args, runtime, code) {
  const module = new URL('../cellblock_kernel_js/typescript/index.mjs', import.meta.url).href;
  const program = `
    import { TypeScript } from ${JSON.stringify(module)};
    const ts = new TypeScript({ runtime: ${JSON.stringify(runtime)}, libraries: ${JSON.stringify(libraries)}});
    const one = await ts.prepare(${JSON.stringify(code)}, { number: 1, cwd: '/tmp' });
    ts.commit(1);
    const two = await ts.prepare('enum Next { A } seen.wrong', { number: 2, cwd: '/tmp' });
    console.log(JSON.stringify([one.diagnostics, two.diagnostics.map((d) => d.code), two.javascript.includes('var Next'), ts.pid]));`;
  const started = run(command, [...args, '-'], { timeout: 60_000 });
  started.child.stdin.end(program);
  return JSON.parse((await started).stdout);
}

test('a program that has checked something ends by itself, and the process with it', async () => {
  const [one, two, emitted, pid] = await alone(process.execPath, ['--input-type=module'], 'node', 'const seen: number = 1;');
  assert.deepEqual([one, two, emitted], [[], [2339], true]);
  await until(() => !lives(pid));
});

test('the process ends when the one that started it is killed', async () => {
  const module = new URL('../cellblock_kernel_js/typescript/index.mjs', import.meta.url).href;
  const program = `import { TypeScript } from ${JSON.stringify(module)};
    const ts = new TypeScript({ libraries: ${JSON.stringify(libraries)} });
    await ts.prepare('1', { number: 1, cwd: '/tmp' });
    console.log(ts.pid); setInterval(() => {}, 1000);`;
  const child = execFile(process.execPath, ['--input-type=module', '-e', program]);
  const [pid] = await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await until(() => !lives(Number(pid)));
});

const deno = ['bin/deno'].map((one) => `${libraries}/../../${one}`).find(existsSync);

test('Deno: its own types, the web\'s, and Node\'s modules', { skip: deno ? false : `no deno beside ${libraries}` }, async () => {
  const code = `import nodeFs from 'node:fs';
    const seen: string = await Deno.readTextFile('x'); Deno.chdir('/'); const r: Response = await fetch('http://a'); r.body;
    process.cwd(); Buffer.from('a').toString('hex'); nodeFs.readFileSync('x', 'utf8').length; new URL('http://a').searchParams;
    for await (const e of Deno.readDir('.')) e.name; const o = await new Deno.Command('ls').output(); new TextDecoder().decode(o.stdout);`;
  const [one, two, emitted, pid] = await alone(deno, ['run', '-A', '--no-lock'], 'deno', code);
  assert.deepEqual([one, two, emitted], [[], [2339], true]);
  await until(() => !lives(pid));
});

test('a check that is given up does not hold the next one up, nor is it begun again', async (t) => {
  const calls = new Calls(t);
  await calls.begin('const kept = 1;');
  // Instantiations without an end in sight: minutes of work.
  const endless = calls.check(`type U = ${Array.from({ length: 60 }, (_, at) => `'${at}'`).join(' | ')};\ntype Much = \`\${U}\${U}\`;\nconst all: { [K in \`\${Much}\`]: { [L in \`\${Much}\`]: K } } = {} as { [K in \`\${Much}\`]: { [L in \`\${Much}\`]: L } };`);
  calls.ts.close();
  const next = calls.errors('kept.length');
  assert.deepEqual(await next, ['1:6 2339']);
  const result = await endless;
  assert.match(result.unavailable, /the compiler was closed/);
});

test('a check whose end never comes is given up when the next one has waited for it', async (t) => {
  const calls = new Calls(t);
  await calls.begin('const kept = 1;');
  // Stopped, the process answers nothing, as if it were busy.
  process.kill(calls.ts.pid, 'SIGSTOP');
  const first = calls.check('kept');
  assert.deepEqual(await calls.errors('kept.length'), ['1:6 2339']);
  assert.match((await first).unavailable, /the compiler was closed/);
});
