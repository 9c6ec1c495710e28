// What a value looks like: the runtime's text for it, and the forms that an object says of itself.

import { encode, getOwnPropertyDescriptor, stringify } from './safe.mjs';
import { cut } from './errors.mjs';

/** Characters of one plain text. */
const TEXT = 1 << 20;
const OPTIONS = { depth: 4, maxArrayLength: 100, maxStringLength: 100000, breakLength: 80, compact: 3 };

/** The bundle of forms of a value, or null if it shows nothing. */
export function bundleOf(host, value) {
  return { data: { 'text/plain': textOf(host, value) }, metadata: {} };
}

export function textOf(host, value) {
  try {
    const text = host.inspect(value, OPTIONS);
    if (typeof text === 'string') return cut(text, TEXT);
  } catch {}
  try {
    const text = host.inspect(value, { ...OPTIONS, customInspect: false });
    if (typeof text === 'string') return cut(text, TEXT);
  } catch {}
  return `[${typeof value} that cannot be shown]`;
}

export function encodeBundle(bundle) {
  return encode(stringify(bundle));
}

export function installDisplay(kernel) {}
