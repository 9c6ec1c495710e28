// What an editor asks about code before it runs: how the word at the cursor could go on, and whether the code is whole.
//
// Nothing of the code is run, no getter and no trap of a proxy, and nothing is loaded for it but the parser.

import { isObject } from './source.mjs';

const MATCHES = 100;
const LENGTH = 500;
const WORDS = (
  'async await break case catch class const continue debugger default delete do else export extends false finally for ' +
  'function if import in instanceof let new null of return static super switch this throw true try typeof undefined var ' +
  'void while with yield'
).split(' ');
const MODULE = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])(?<name>[^'"\n]*)$/;
const WORD = /(?<path>(?:[\p{ID_Start}$_][\p{ID_Continue}$]*(?:\?\.|\.))*)(?<last>[\p{ID_Start}$_][\p{ID_Continue}$]*)?$/u;
const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const OPTIONS = {
  ecmaVersion: 'latest',
  sourceType: 'script',
  allowImportExportEverywhere: true,
  allowAwaitOutsideFunction: true,
  allowHashBang: true,
};

/** Answers `{ code, cursor }` with `start`, `end`, `matches`, `more`; `{ code, check }` with `check` and `indent`. */
export async function answer(host, question) {
  const { code } = question;
  await host.ready();
  if (typeof code !== 'string') throw new TypeError('a question without `code`');
  if (question.check) return check(await host.acorn(), code, question.language === 'typescript');
  // A cursor counts characters as Python does, and not units of UTF-16.
  const characters = [...code];
  const cursor = Math.max(0, Math.min(Number.isInteger(question.cursor) ? question.cursor : characters.length, characters.length));
  const before = characters.slice(0, cursor).join('');
  const { word, matches } = await complete(host, before);
  const good = matches.filter(([text]) => text.length <= LENGTH && /^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(text));
  return { start: cursor - [...word].length, end: cursor, matches: good.slice(0, MATCHES), more: good.length > MATCHES };
}

// How a word goes on.

async function complete(host, before) {
  const named = MODULE.exec(before);
  if (named !== null) {
    const word = named.groups.name;
    return { word, matches: sorted(host.modules(word).map((name) => [name, 'module']), word) };
  }
  const { path, last: word = '' } = WORD.exec(before).groups;
  if (path === '') {
    // After a dot of something that is no name (`f().`), nothing is known.
    if (/\.\s*$/.test(before.slice(0, before.length - word.length))) return { word, matches: [] };
    const names = new Map(WORDS.map((each) => [each, 'keyword']));
    for (const name of host.lexicalNames()) names.set(name, kindOf(host, lookup(host, name)));
    for (const [name, kind] of propertiesOf(host, globalThis)) if (!names.has(name)) names.set(name, kind);
    return { word, matches: sorted([...names], word) };
  }
  const [first, ...rest] = path.split(/\?\.|\./).slice(0, -1);
  let found = lookup(host, first);
  for (const name of rest) found = found === null ? null : member(host, found.value, name);
  return { word, matches: found === null ? [] : sorted([...propertiesOf(host, found.value)], word) };
}

function sorted(matches, word) {
  const public_ = (text) => (text.startsWith('_') ? 1 : 0);
  return matches
    .filter(([text]) => text.startsWith(word))
    .sort(([one], [other]) => public_(one) - public_(other) || (one < other ? -1 : one > other ? 1 : 0));
}

/** What a global name stands for: `{ value }`, or null if that cannot be told without running code. */
function lookup(host, name) {
  if (host.lexicalNames().includes(name)) return host.lookup(name);
  return member(host, globalThis, name);
}

function member(host, value, name) {
  for (let at = objectOf(value), depth = 0; at !== null && depth < 32; at = Object.getPrototypeOf(at), depth += 1) {
    if (host.isProxy(at)) return null;
    const descriptor = Object.getOwnPropertyDescriptor(at, name);
    if (descriptor === undefined) continue;
    if ('value' in descriptor) return { value: descriptor.value };
    // Our own lazy globals only load a built-in module.
    return value === globalThis && host.isLazy(name) ? { value: globalThis[name] } : null;
  }
  return null;
}

const objectOf = (value) => (value === null || value === undefined ? null : Object(value));

function* propertiesOf(host, value) {
  const seen = new Set();
  for (let at = objectOf(value), depth = 0; at !== null && depth < 32; at = Object.getPrototypeOf(at), depth += 1) {
    if (host.isProxy(at)) return;
    // Elements of arrays and texts are no names.
    if (ArrayBuffer.isView(at) && at.length > 1000) continue;
    for (const name of Object.getOwnPropertyNames(at)) {
      if (seen.has(name) || !IDENTIFIER.test(name) || (at === globalThis && name === 'ımport')) continue;
      seen.add(name);
      const descriptor = Object.getOwnPropertyDescriptor(at, name);
      yield [name, 'value' in descriptor ? kindOf(host, descriptor) : value === globalThis && host.isLazy(name) ? 'module' : 'property'];
    }
  }
}

function kindOf(host, found) {
  const value = found?.value;
  if (typeof value !== 'function' || host.isProxy(value)) return 'instance';
  const prototype = Object.getOwnPropertyDescriptor(value, 'prototype');
  return prototype?.writable === false ? 'class' : 'function';
}

// Whether code is whole.

function check(acorn, code, typed) {
  const depth = depthOf(acorn, code);
  const incomplete = { check: 'incomplete', indent: 2 * Math.max(0, depth) };
  if (typed) return depth > 0 ? incomplete : { check: 'complete', indent: 0 };
  try {
    acorn.parse(code, OPTIONS);
    return { check: 'complete', indent: 0 };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    if (isObject(acorn, code)) return { check: 'complete', indent: 0 };
    const open = /^Unterminated (?:template|comment)/.test(error.message);
    const atEnd = (error.pos >= code.trimEnd().length || isOpenObject(acorn, code)) && !/^Unterminated/.test(error.message);
    const continued = /^Unterminated string/.test(error.message) && code.endsWith('\\\n');
    return open || atEnd || continued ? incomplete : { check: 'invalid', indent: 0 };
  }
}

/** Whether the text may become an object that is not closed yet, as `{ a: 1, b: 2`. */
function isOpenObject(acorn, code) {
  if (!/^\s*\{/.test(code)) return false;
  try {
    acorn.parse(`(${code}`, OPTIONS);
    return false;
  } catch (error) {
    return error.pos > code.trimEnd().length;
  }
}

/** How many brackets are open at the end. */
function depthOf(acorn, code) {
  let depth = 0;
  try {
    for (const { type } of acorn.tokenizer(code, OPTIONS)) {
      if (/^(?:\{|\(|\[|\$\{)$/.test(type.label)) depth += 1;
      else if (/^(?:\}|\)|\])$/.test(type.label)) depth -= 1;
    }
  } catch {}
  return depth;
}
