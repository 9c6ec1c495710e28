// Stack traces in Deno: the names of cells, and the places in the text that was sent.
//
// Deno's own text of a stack asks for the name of a file, and code that was evaluated has none (only a source URL); and
// the first line of each cell is longer than what was sent (engine.mjs). Both are put right where the text is made, so
// that `error.stack` is right wherever it is read. Code that sets `Error.prepareStackTrace` takes this from itself.
//
// Deno tells of an exception in a timer's callback when it has forgotten on whose behalf that ran, so the stack also
// tells whose the code is.

import { apply, create, endsWith, includes, join, push, slice, split, test, uncurried } from '../safe.mjs';

/** What makes the rest of a text run in a later microtask. */
export const PREFIX = 'await void 0;';
/** Cells remembered: the latest. */
const CELLS = 10000;
const OURS = 'cellblock_kernel_js/';
const BUILTIN = /^(?:ext|node):/;
/** Frames asked for, among which are Deno's and ours, and frames shown, unless the code says otherwise. */
const LIMIT = 50;
const SHOWN = 10;
const SPACE = /[\s'"\u0000-\u001f]/;

const { Error: AnyError, WeakRef } = globalThis;
const { toString: describe } = AnyError.prototype;
const remember = uncurried(WeakMap.prototype.set);
const recall = uncurried(WeakMap.prototype.get);
const alive = uncurried(WeakRef.prototype.deref);

/** By source URL: what the cell is called, by how much its first line is shifted, and whose it is. */
const cells = create(null);
const latest = [];
let count = 0;
/** The outermost cell of each error's stack. */
const outermost = new WeakMap();

/** The source URL for a cell of this name. */
export function named(name, shift, owner) {
  // A source URL with a space in it is none.
  const url = test(SPACE, name) ? encodeURI(join(split(name, '"'), '%22')) : name;
  const at = count % CELLS;
  if (latest[at] !== undefined && cells[latest[at]]?.at === count - CELLS) delete cells[latest[at]];
  cells[url] = { name, shift, owner: new WeakRef(owner), at: count };
  latest[at] = url;
  count += 1;
  return url;
}

/** Whose code threw the error: an owner, a nameless one if it is gone, or undefined. */
export function ownerOf(error) {
  if (typeof error !== 'object' || error === null) return undefined;
  try {
    // The text is made when it is first asked for.
    void error.stack;
  } catch {}
  const cell = recall(outermost, error);
  return cell && (alive(cell.owner) ?? {});
}

function textOf(frame, url, cell) {
  const text = frame.toString();
  const row = frame.getLineNumber();
  const column = frame.getColumnNumber();
  const place = `${url}:${row}:${column}`;
  const closed = endsWith(text, `${place})`);
  if (!closed && !endsWith(text, place)) return text;
  const before = slice(text, 0, text.length - place.length - (closed ? 1 : 0));
  return `${before}${cell.name}:${row}:${row === 1 ? column - cell.shift : column}${closed ? ')' : ''}`;
}

function heading(error) {
  try {
    return apply(describe, error, []);
  } catch {
    return 'Error';
  }
}

function stackOf(error, frames) {
  const lines = [heading(error)];
  const most = AnyError.stackTraceLimit === LIMIT ? SHOWN : Infinity;
  let last;
  for (let at = 0; at < frames.length; at += 1) {
    const frame = frames[at];
    const url = frame.getScriptNameOrSourceURL();
    const known = typeof url === 'string';
    if (known && (includes(url, OURS) || test(BUILTIN, url))) continue;
    const cell = known ? cells[url] : undefined;
    last = cell ?? last;
    if (lines.length <= most) push(lines, `    at ${cell === undefined ? frame.toString() : textOf(frame, url, cell)}`);
  }
  if (last !== undefined && typeof error === 'object' && error !== null) remember(outermost, error, last);
  return join(lines, '\n');
}

export function installStacks() {
  Error.stackTraceLimit = LIMIT;
  Error.prepareStackTrace = stackOf;
}
