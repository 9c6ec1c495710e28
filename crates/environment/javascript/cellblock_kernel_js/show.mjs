// What a value looks like: the runtime's text for it, and the forms that an object says of itself.
//
// What must stay true: whatever the value is, there is a bundle, it is valid JSON, and it is not larger than
// [BUNDLE]. A proxy's traps and a property's getter are not run for it.

import { Bytes, apply, encode, endsWith, hasOwn, includes, isArray, isFinite, keys, push, join, own, stringify, test, toText } from './safe.mjs';
import { cut, mapped, tidied } from './errors.mjs';

/** Characters of one plain text, and bytes of a bundle. The protocol's frames hold 32 MiB. */
const TEXT = 1 << 20;
const BUNDLE = 24 << 20;
const OPTIONS = { depth: 4, maxArrayLength: 100, maxStringLength: 100000, breakLength: 80, compact: 3 };
const STRING = { ...OPTIONS, breakLength: Infinity };
const PLAIN = { ...OPTIONS, customInspect: false };
const SVG = 'image/svg+xml';
/** Begins a frame of a stack. */
const AT = ' at ';
const READABLE = /^text\/|^image\/(?!svg)/;
/** How an object says its forms: the convention of Deno's notebooks. */
const FORMS = Symbol.for('Jupyter.display');
const { isView } = ArrayBuffer;

export function textOf(host, value, maps = null) {
  const options = typeof value === 'string' ? STRING : OPTIONS;
  try {
    const text = host.inspect(value, options);
    if (typeof text === 'string') return cut(callers(value, text, maps), TEXT);
  } catch {}
  try {
    const text = host.inspect(value, PLAIN);
    if (typeof text === 'string') return cut(callers(value, text, maps), TEXT);
  } catch {}
  return `[${typeof value} that cannot be shown]`;
}

/** Errors in a value with the caller's frames and not ours, in the places of the text that was sent. */
function callers(value, text, maps) {
  if (typeof value === 'string' || !includes(text, AT)) return text;
  return maps === null ? tidied(text) : mapped(tidied(text), maps);
}

/**
 * Whether it is what `setTimeout`, `setInterval` or `setImmediate` gave. Code often ends with one, for what the timer
 * does and not to see it.
 */
export function isTimer(host, value) {
  if (typeof value !== 'object' || value === null || host.isProxy(value)) return false;
  return hasOwn(value, '_onTimeout') || hasOwn(value, '_onImmediate');
}

/** What an object's own method says of its forms: an object, a promise of one, or null. It may raise. */
export function formsOf(host, value) {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || host.isProxy(value)) return null;
  const method = value[FORMS];
  if (typeof method !== 'function') return null;
  const forms = apply(method, value, []);
  return typeof forms === 'object' && forms !== null ? forms : null;
}

/** The bundle of these forms, or of the value's text alone. `maps` is of texts that ran as others than were sent. */
export function bundleOf(host, value, forms, maps = null) {
  const data = own();
  if (forms !== null && forms !== undefined) {
    const types = keys(forms);
    for (let at = 0; at < types.length; at += 1) if (includes(types[at], '/')) data[types[at]] = formOf(host, types[at], forms[types[at]]);
  }
  if (!hasReadable(data)) data['text/plain'] = data[SVG] === undefined ? textOf(host, value, maps) : inWords(data[SVG]);
  return own({ data, metadata: own() });
}

/** Whether there is a form that every client shows: a text, or a picture of points. */
function hasReadable(data) {
  const types = keys(data);
  for (let at = 0; at < types.length; at += 1) if (test(READABLE, types[at])) return true;
  return false;
}

/** For whoever cannot see it: that something was drawn, and how it is kept. */
const inWords = (svg) => `[an SVG picture, ${svg.length} characters; to keep it, write the same text to a file that ends in .svg]`;

function formOf(host, type, value) {
  if (isView(value)) return base64(value);
  if (endsWith(type, 'json')) return value;
  const text = typeof value === 'string' ? value : isArray(value) ? guardedText(host, value, join) : guardedText(host, value);
  return type === 'text/plain' ? cut(text, TEXT) : text;
}

function guardedText(host, value, how = null) {
  try {
    return how === null ? toText(value) : how(value, '');
  } catch {
    return textOf(host, value);
  }
}

/** Bytes as base64, in pieces that `String.fromCharCode` takes. */
export function base64(view) {
  const bytes = new Bytes(view.buffer, view.byteOffset, view.byteLength);
  return host64(bytes);
}

let host64 = (bytes) => bytes.toBase64();
if (typeof Bytes.prototype.toBase64 !== 'function') {
  const { fromCharCode } = String;
  const { btoa } = globalThis;
  host64 = (bytes) => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 1) text += fromCharCode(bytes[at]);
    return btoa(text);
  };
} else {
  const { toBase64 } = Bytes.prototype;
  host64 = (bytes) => apply(toBase64, bytes, []);
}

/** JSON, whatever is in it. */
export function toJson(value) {
  try {
    return stringify(value) ?? 'null';
  } catch {
    return stringify(plain(value, 0)) ?? 'null';
  }
}

/** The same value out of what JSON has. */
function plain(value, depth) {
  if (typeof value === 'bigint') return toText(value);
  if (typeof value === 'number') return isFinite(value) ? value : null;
  if (typeof value !== 'object' || value === null) return typeof value === 'function' || typeof value === 'symbol' ? null : value;
  if (depth > 32) return null;
  try {
    if (isArray(value)) {
      const items = [];
      for (let at = 0; at < value.length; at += 1) push(items, plain(value[at], depth + 1));
      return items;
    }
    const made = {};
    const names = keys(value);
    for (let at = 0; at < names.length; at += 1) made[names[at]] = plain(value[names[at]], depth + 1);
    return made;
  } catch {
    return null;
  }
}

/** The payload of a frame that shows this. The largest forms go first where all are too much, and a text says so. */
export function encodeBundle(bundle) {
  let bytes = encode(toJson(bundle));
  if (bytes.length <= BUNDLE) return bytes;
  const { data } = bundle;
  let notes = '';
  while (bytes.length > BUNDLE && keys(data).length > 0) {
    let largest = '';
    let most = -1;
    const types = keys(data);
    for (let at = 0; at < types.length; at += 1) {
      const size = toJson(data[types[at]]).length;
      if (size > most) {
        largest = types[at];
        most = size;
      }
    }
    delete data[largest];
    notes += `${notes && '\n'}[${largest} of ${(most / (1 << 20)).toFixed(1)} MiB left out: a display holds ${BUNDLE >> 20} MiB]`;
    bytes = encode(toJson(own({ ...bundle, data: own({ ...data, 'text/plain': `${data['text/plain'] ?? ''}${data['text/plain'] ? '\n' : ''}${notes}` }) })));
  }
  return bytes;
}

/** Whether it is a bundle already: an object with types as its names. */
export function isBundle(host, value) {
  if (typeof value !== 'object' || value === null || host.isProxy(value) || isArray(value)) return false;
  const types = keys(value);
  for (let at = 0; at < types.length; at += 1) if (!/^[a-z]+\/[\w.+-]+$/.test(types[at])) return false;
  return types.length > 0;
}

