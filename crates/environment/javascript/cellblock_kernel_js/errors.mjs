// Errors as text: in the runtime's own words, with the frames that are the caller's.
//
// What must stay true: whatever was thrown (a string, a proxy, an object whose `stack` throws), there is a text, it is
// bounded, and no code of the user's that fails in describing it fails the kernel.

import { hasOwn, includes, isArray, join, lastIndexOf, match, push, slice, split, startsWith, test, toText } from './safe.mjs';

/** Characters of a traceback, of a line of it, and of a message. */
const LIMIT = 64 << 10;
const LINE = 4 << 10;
const VALUE = 8 << 10;
/** Lines of a traceback, and of what an error has beside its message before only what is at its top is shown. */
const LINES = 100;
const MUCH = 40;
/** Errors that are shown within another one where that is much. */
const WITHIN = 5;
/** Is in each frame of the kernel's. */
const OURS = 'cellblock_kernel_js/';
/** Is in each frame of Node's that no documentation knows. */
const INTERNAL = 'node:internal/';
/** Under this an error of ours has its whole text; how many lines it has is its own concern. */
export const WHOLE = Symbol('text');
/** What the error itself does not say of a rejected promise. */
const UNHANDLED = 'Nobody handled this rejection: `await` the promise, or give it a `catch`.';
const CODES = ['ENOSPC', 'EDQUOT', 'EFBIG', 'ENOMEM'];
const FRAME = /^\s+(?:at |\.\.\. \d+ lines matching cause stack trace \.\.\.)/;
/** Where errors that one comes from are not shown. */
const INNER = /^(  \[?(cause|errors)\]?: )\[.*\](,?)$/;
/** Frames that say nothing to anybody. */
const NOISE = /^\s+\.\.\. |cellblock_kernel_js\/|(?:\(|at )node:(?:internal\/|async_hooks:)/;
/** Frames that an error has in common with its cause, where these are the machinery below the code. */
const SHARED = /^\s+\.\.\. /;
const PLACE = /(?:\(|at )(?:async )?(?:file:\/\/)?([^()]*?):(\d+):(\d+)\)?(?: \{)?$/;

export function cut(text, limit) {
  if (text.length <= limit) return text;
  const half = limit >> 1;
  return `${slice(text, 0, half)}\n… ${text.length - 2 * half} of ${text.length} characters are left out …\n${slice(text, -half)}`;
}

function guarded(call, otherwise) {
  try {
    return call();
  } catch {
    return otherwise;
  }
}

/** What a report says of what was thrown: `ename`, `evalue`, `traceback`, and of a full disk `errno` and `full`. */
export function describe(host, { error, rejected = false, line = 0, column = 0, name: where }, program) {
  const seen = chain(host, error);
  const errno = guarded(() => code(host, seen), null);
  const name = cut(nameOf(host, error), 200);
  const message = cut(messageOf(host, error), VALUE);
  const text = guarded(() => render(host, error, line > 0 ? { name: where, line, column } : null, program, name, message), message ? `${name}: ${message}` : name);
  return {
    ename: name,
    evalue: message,
    // Node says it of what is no error, in its own words.
    traceback: rejected && name !== 'UnhandledPromiseRejection' ? `${text}\n\n${UNHANDLED}` : text,
    errno,
    full: errno === 'ENOSPC' ? guarded(() => host.full(), null) : null,
    memory_error: name === 'RangeError' && (startsWith(message, 'Array buffer allocation failed') || message === 'Invalid string length'),
  };
}

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

function nameOf(host, error) {
  if (error === null) return 'null';
  if (!isObject(error)) return typeof error;
  if (host.isProxy(error)) return 'Proxy';
  const own = guarded(() => error.name, null);
  if (typeof own === 'string' && own !== '' && host.isError(error)) return own;
  const made = guarded(() => error.constructor.name, null);
  return typeof made === 'string' && made !== '' ? made : 'Object';
}

function messageOf(host, error) {
  if (typeof error === 'string') return error;
  if (!isObject(error)) return guarded(() => toText(error), '');
  if (host.isProxy(error)) return '';
  const message = guarded(() => error.message, '');
  if (typeof message === 'string' && (message !== '' || host.isError(error))) return message;
  return guarded(() => host.inspect(error, { depth: 1, breakLength: 120, maxArrayLength: 10 }), '');
}

function chain(host, error) {
  const links = [];
  for (let at = error; isObject(at) && !host.isProxy(at) && links.length < 32; at = guarded(() => at.cause, null)) push(links, at);
  return links;
}

function code(host, links) {
  for (let at = 0; at < links.length; at += 1) {
    const found = guarded(() => links[at].code, null);
    for (let known = 0; known < CODES.length; known += 1) if (CODES[known] === found) return found;
  }
  return null;
}

function render(host, error, early, { texts, maps, odd }, name, message) {
  let text;
  if (isObject(error) && !host.isProxy(error) && hasOwn(error, WHOLE)) return bounded(error[WHOLE], Infinity);
  if (isObject(error) && host.isError(error)) {
    text = guarded(() => errorText(host, error, early !== null), null);
    if (typeof text !== 'string') text = message ? `${name}: ${message}` : name;
  } else {
    text = `Uncaught ${guarded(() => valueText(host, error), name)}`;
  }
  const urls = odd.size > 0 ? odd.list() : [];
  for (let at = 0; at < urls.length; at += 1) text = join(split(text, urls[at]), odd.get(urls[at]));
  text = mapped(text, maps);
  const place = early === null ? placeOf(text, texts) : original(early, maps);
  return bounded(place === null ? text : `${excerpt(place, texts)}${text}`);
}

/** An error with what it has. Those of libraries have whole connections: of these the top is enough. */
function errorText(host, error, all) {
  const text = cleaned(host.inspect(error, { depth: 4, maxStringLength: VALUE }), all);
  const message = guarded(() => toText(error.message), '');
  return linesOf(text) > MUCH + linesOf(message) ? guarded(() => shallow(host, error, all, 0), text) : text;
}

function valueText(host, value) {
  const text = host.inspect(value, { depth: 2, maxStringLength: VALUE });
  return linesOf(text) > MUCH ? host.inspect(value, { depth: 1, maxStringLength: VALUE, maxArrayLength: 10 }) : text;
}

const linesOf = (text) => split(text, '\n').length;

/** An error with its own properties and no more, and the errors that it comes from as such. */
function shallow(host, error, all, level) {
  const text = cleaned(host.inspect(error, { depth: 0, maxStringLength: VALUE }), all);
  if (level >= WITHIN) return text;
  const within = (value, margin) => join(split(shallow(host, value, all, level + 1), '\n'), `\n${margin}`);
  const lines = split(text, '\n');
  for (let at = 0; at < lines.length; at += 1) {
    const inner = match(INNER, lines[at]);
    if (inner === null) continue;
    const { 1: head, 2: name, 3: comma } = inner;
    const value = error[name];
    if (host.isError(value)) {
      lines[at] = `${head}${within(value, '  ')}${comma}`;
    } else if (isArray(value)) {
      const items = [];
      for (let each = 0; each < value.length && each < WITHIN; each += 1) {
        push(items, `\n    ${host.isError(value[each]) ? within(value[each], '    ') : host.inspect(value[each], { depth: 0 })}`);
      }
      if (value.length > WITHIN) push(items, `\n    ... ${value.length - WITHIN} more`);
      lines[at] = `${head}[${join(items, ',')}\n  ]${comma}`;
    }
  }
  return join(lines, '\n');
}

function original(place, maps) {
  const map = maps.get(place.name);
  if (!map) return place;
  const { 0: line, 1: column } = map.original(place.line, place.column);
  return { name: place.name, line, column };
}

/** Frames at the places of the text that was sent. */
export function mapped(text, maps) {
  if (maps.size === 0) return text;
  const lines = split(text, '\n');
  for (let at = 0; at < lines.length; at += 1) {
    const found = test(FRAME, lines[at]) && match(PLACE, lines[at]);
    const map = found && maps.get(found[1]);
    if (!map) continue;
    const { 0: line, 1: column } = map.original(+found[2], +found[3]);
    const old = `${found[1]}:${found[2]}:${found[3]}`;
    const start = lastIndexOf(lines[at], old);
    lines[at] = `${slice(lines[at], 0, start)}${found[1]}:${line}:${column}${slice(lines[at], start + old.length)}`;
  }
  return join(lines, '\n');
}

/** Where in code of the user's it happened. */
function placeOf(text, texts) {
  const lines = split(text, '\n');
  let begun = false;
  for (let at = 0; at < lines.length; at += 1) {
    const frame = test(FRAME, lines[at]);
    if (begun && !frame) break;
    begun ||= frame;
    const found = frame && match(PLACE, lines[at]);
    if (found && texts.has(found[1])) return { name: found[1], line: +found[2], column: +found[3] };
  }
  return null;
}

function excerpt({ name, line, column }, texts) {
  const text = texts.get(name);
  if (text === undefined) return '';
  const shown = split(text, '\n', line)[line - 1];
  if (shown === undefined) return `${name}:${line}\n\n`;
  if (shown.length > 400) return `${name}:${line}:${column}\n\n`;
  // Tabs stay tabs, so that the caret stands below its place.
  let before = '';
  for (let at = 0; at < column - 1 && at < shown.length; at += 1) before += shown[at] === '\t' ? '\t' : ' ';
  return `${name}:${line}\n${shown}\n${before}^\n\n`;
}

/** A text that the user's code made of errors, in which stack traces end where that code does. */
export const tidied = (text) => (includes(text, OURS) || includes(text, INTERNAL) ? cleaned(text) : text);

/** The same of an error's text; with `all`, of a stack without that code nothing stays. */
function cleaned(text, all = false) {
  const lines = split(text, '\n');
  const kept = [];
  for (let at = 0; at < lines.length; ) {
    if (!test(FRAME, lines[at])) {
      push(kept, lines[at]);
      at += 1;
      continue;
    }
    let end = at;
    let last = at;
    let ours = false;
    for (; end < lines.length && test(FRAME, lines[end]); end += 1) {
      if (includes(lines[end], OURS) || test(SHARED, lines[end])) ours = true;
      else if (!includes(lines[end], 'node:') && !includes(lines[end], '<anonymous>')) last = end + 1;
    }
    const upTo = all || ours || last > at ? last : end;
    let whole = false;
    for (let each = at; each < upTo; each += 1) {
      if (test(NOISE, lines[each])) continue;
      push(kept, lines[each]);
      whole = each === end - 1;
    }
    // What follows the frames belongs to the error: its own properties, and its cause.
    const more = whole ? null : match(/(?: \{|,)$/, lines[end - 1]);
    if (more !== null && kept.length > 0) kept[kept.length - 1] += more[0];
    at = end;
  }
  return join(kept, '\n');
}

/** A text of no more than so many lines, each of them and all together bounded as well. */
function bounded(text, most = LINES) {
  const lines = split(text, '\n');
  const kept = [];
  const half = most >> 1;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    if (lines.length > most && at === half) push(kept, `… ${lines.length - most} lines are left out …`);
    if (lines.length > most && at >= half && at < lines.length - half) continue;
    push(kept, line.length > LINE ? `${slice(line, 0, LINE)} … ${line.length - LINE} characters are left out …` : line);
  }
  return cut(join(kept, '\n'), LIMIT);
}
