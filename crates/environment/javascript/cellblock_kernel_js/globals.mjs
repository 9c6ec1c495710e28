// The globals that code expects in both runtimes: how they are made, and those that follow the working directory.
//
// None is enumerable, and all may be declared again.

import { IMPORT } from './source.mjs';
import { create, defineProperty, getOwnPropertyDescriptor, includes, isArray, join, split } from './safe.mjs';

export function hidden(name, value) {
  defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

/** A global that is made when it is first read. */
export function lazy(name, make) {
  defineProperty(globalThis, name, {
    configurable: true,
    enumerable: false,
    get: () => {
      const value = make();
      hidden(name, value);
      return value;
    },
    set: (value) => hidden(name, value),
  });
}

/** Gives the error with another text in its message, in its stack, and where it says who required it. */
export function reworded(error, from, to) {
  try {
    const { message, stack, requireStack } = error;
    if (typeof message !== 'string' || !includes(message, from)) return error;
    const replaced = (text) => (typeof text === 'string' ? join(split(text, from), to) : text);
    error.message = replaced(message);
    error.stack = replaced(stack);
    if (isArray(requireStack)) error.requireStack = requireStack.map(replaced);
  } catch {
    // Its own text is as good, if it is one that cannot be changed.
  }
  return error;
}

/** Whether nobody has read it yet, or set it. */
export const isUnread = (name) => getOwnPropertyDescriptor(globalThis, name)?.get !== undefined;

/** `import()`, `import.meta`, `__filename` and `__dirname`; `place` has what tells and does it. */
export function installPlace(place) {
  const directory = () => place.directory();
  const file = () => place.file();
  for (const [name, get] of [['__filename', file], ['__dirname', directory]]) {
    defineProperty(globalThis, name, { configurable: true, get, set: (value) => hidden(name, value) });
  }
  const load = (specifier, options) => place.load(specifier, options);
  const meta = create(null, {
    dirname: { enumerable: true, get: directory },
    filename: { enumerable: true, get: file },
    main: { enumerable: true, value: true },
    resolve: { enumerable: true, value: (specifier) => place.resolve(specifier) },
    url: { enumerable: true, get: () => place.url() },
  });
  defineProperty(load, 'meta', { get: () => meta });
  hidden(IMPORT, load);
}

/**
 * What could be imported under a name that begins so: built-in modules, packages, files. `list` gives the names in a
 * directory, `places` are those of packages.
 */
export function importable(prefix, { builtin, directory, places, list }) {
  const scope = prefix.startsWith('@') && prefix.includes('/') ? prefix.slice(0, prefix.indexOf('/') + 1) : '';
  const local = /^\.{1,2}\/(?:.*\/)?/.exec(prefix)?.[0];
  const found = new Set();
  const add = (path, before) => {
    try {
      for (const name of list(path)) if (!name.startsWith('.')) found.add(before + name);
    } catch {}
  };
  if (local !== undefined) {
    add(`${directory}/${local}`, local);
    return [...found];
  }
  for (const name of builtin) found.add(name);
  if (prefix.startsWith('node:')) for (const name of builtin) found.add(`node:${name}`);
  for (const place of places) if (place !== '') add(`${place}/${scope}`, scope);
  return [...found];
}
