// TypeScript: a call is checked, translated, and then run as JavaScript in the same scope.

import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join as path } from 'node:path';
import { env } from 'node:process';
import { charCode, join, max, min, push, repeat, slice, split } from './safe.mjs';
import { WHOLE } from './errors.mjs';
import { adviceOnNames } from './advice.mjs';
import { STDERR } from './wire.mjs';

/** Milliseconds after which an unused checker gives its memory back. */
const IDLE = 60000;

class TypeScriptError extends Error {}
Object.defineProperty(TypeScriptError.prototype, 'name', { value: 'TypeScriptError' });

/** What to run in place of the code; null where the call has ended. `typed` is false for a call in JavaScript. */
export async function prepare(program, call, typed) {
  const { host } = program.kernel;
  const { code, filename } = call.request;
  const { object } = call;
  // A program's imports are relative to its file.
  const directory = typeof filename === 'string' && isAbsolute(filename) ? dirname(filename) : host.cwd();
  if (!typed) {
    program.typescript.note(code, call.serial, directory);
    return code;
  }
  if (program.typescript === null) {
    const { TypeScript } = await import('./typescript/index.mjs');
    const libraries = host.libraries();
    if (host.runtime === 'node') (await import('./node/siblings.mjs')).installSiblings(libraries);
    // What code has put into the global object is there, whatever TypeScript knows of it.
    const lives = (name) => name in globalThis;
    program.typescript = new TypeScript({ runtime: host.runtime, libraries, idle: IDLE, resolves, lives });
    for (const { code: earlier, serial, cwd } of program.history) program.typescript.note(earlier, serial, cwd);
    program.history.length = 0;
  }
  const checker = program.typescript;
  if (call.done) return null;
  call.checking = checker;
  const { diagnostics, more, javascript, map, shifted, unavailable } = await checker.prepare(code, { number: call.serial, cwd: directory, object });
  call.checking = null;
  if (call.done) return null;
  const errors = diagnostics.filter(({ category }) => category === 'error');
  if (errors.length > 0) {
    const warned = call.request.type_errors === 'warn' && typeof javascript === 'string';
    if (unavailable !== null) {
      const text = `the ${unavailable}${warned ? '' : ', so the code did not run'}`;
      if (!warned) {
        const error = new TypeScriptError(text);
        error[WHOLE] = `TypeScriptError: ${text}`;
        throw error;
      }
      program.kernel.print(STDERR, `${text}\n`);
    } else {
      const why = adviceOnNames(program.kernel.reports.failures, errors);
      const text = join([report(call.name, code, errors, more), ...why], '\n\n');
      if (!warned) throw refusal(errors, text, more);
      program.kernel.print(STDERR, `${text}\n`);
    }
  }
  if (map || shifted) {
    const { Shifted, SourceMap } = await import('./maps.mjs');
    const places = map ? new SourceMap(map) : null;
    program.maps.set(call.name, shifted ? new Shifted(places) : places);
  }
  checker.commit(call.serial);
  // A whole program leaves nothing for others to be checked with.
  if (call.final) checker.close();
  return javascript;
}

/** Whether the runtime would find what TypeScript does not: packages of the session's own layer, and files of any kind. */
function resolves(name, cwd) {
  if (name[0] === '.' || name[0] === '/') return statSync(path(name[0] === '/' ? '/' : cwd, name), { throwIfNoEntry: false })?.isFile() ?? false;
  const bare = join(split(name, '/', name[0] === '@' ? 2 : 1), '/');
  const places = split(env.NODE_PATH ?? '', ':');
  for (let at = 0; at < places.length; at += 1) if (places[at] !== '' && existsSync(path(places[at], bare))) return true;
  return false;
}

function refusal(errors, text, more) {
  const others = counted(errors.length - 1 + more);
  const [{ file, line, column }] = errors;
  const where = file === undefined ? '' : `${file}:${line}:${column}: `;
  const error = new TypeScriptError(`${where}${errors[0].code ? `TS${errors[0].code}: ` : ''}${errors[0].text}${others && ` (${others})`}`);
  error[WHOLE] = text;
  return error;
}

function counted(left) {
  return left > 0 ? `and ${left} more ${left === 1 ? 'error' : 'errors'}` : '';
}

/** As `tsc` prints it. */
export function report(name, code, diagnostics, more = 0) {
  const lines = split(code, '\n');
  const parts = [];
  for (const { line, column, endLine, endColumn, code: number, text, file, shown: other } of diagnostics) {
    let part = `${file ?? name}:${line}:${column} - error ${number ? `TS${number}: ` : ''}${text}`;
    const shown = file === undefined ? lines[line - 1] : other;
    if (shown !== undefined && shown.length <= 400) {
      const end = endLine === line ? endColumn : shown.length + 1;
      let before = '';
      for (let at = 0; at < column - 1 && at < shown.length; at += 1) before += charCode(shown, at) === 9 ? '\t' : ' ';
      part += `\n\n${line} ${shown}\n${repeat(' ', `${line}`.length + 1)}${before}${repeat('~', max(1, min(end, shown.length + 1) - column))}`;
    }
    push(parts, part);
  }
  const left = counted(more);
  if (left) push(parts, left);
  return join(parts, '\n\n');
}
