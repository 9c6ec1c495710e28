// The globals that code expects besides Deno's own: require, module, import, the arguments, Node's modules by name.
//
// They follow the working directory, as a program's follow its file. None is enumerable, and all may be declared again.
// Node's modules cost tens of milliseconds when the first of them is loaded, so each is loaded when it is first read.

import { installRefusals } from '../refusals.mjs';
import { IMPORT } from '../source.mjs';
import { apply, create, defineProperty } from '../safe.mjs';
import { Loader } from './modules.mjs';
import { installStreams } from './streams.mjs';
import { installTimers } from './timers.mjs';

const NAMES = [
  'assert', 'async_hooks', 'buffer', 'child_process', 'cluster', 'constants', 'dgram', 'diagnostics_channel', 'dns',
  'domain', 'events', 'fs', 'http', 'http2', 'https', 'inspector', 'net', 'os', 'path', 'perf_hooks', 'punycode',
  'querystring', 'readline', 'repl', 'stream', 'string_decoder', 'sys', 'timers', 'tls', 'tty', 'url', 'util', 'v8', 'vm',
  'wasi', 'worker_threads', 'zlib',
];

/** Globals of Deno's that are made when first read, by nothing of the user's. */
const GETTERS = new Set(['Buffer', 'global', 'process']);

function hidden(name, value) {
  defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

/** A global that is made when it is first read. */
function lazy(name, make) {
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

export class Globals {
  install(kernel, { owner }) {
    installStreams(kernel);
    installRefusals(kernel);
    installTimers();
    process.argv = [Deno.execPath()];
    defineProperty(Deno, 'args', { value: [], writable: true, configurable: true, enumerable: true });
    const loader = (this.loader = new Loader(owner));
    const { getBuiltinModule } = process;
    this.builtin = new Set();
    for (const name of NAMES) {
      if (name in globalThis) continue;
      lazy(name, () => apply(getBuiltinModule, process, [name]));
      this.builtin.add(name);
    }
    lazy('require', () => loader.required().require);
    lazy('module', () => loader.required().module);
    lazy('exports', () => loader.required().module.exports);
    const places = { __filename: () => loader.file(), __dirname: () => loader.directory() };
    for (const name of ['__filename', '__dirname']) {
      defineProperty(globalThis, name, { configurable: true, get: places[name], set: (value) => hidden(name, value) });
    }
    const load = (specifier, options) => loader.load(specifier, options);
    const meta = create(null, {
      dirname: { enumerable: true, get: places.__dirname },
      filename: { enumerable: true, get: places.__filename },
      main: { enumerable: true, value: true },
      resolve: { enumerable: true, value: (specifier) => loader.resolve(specifier) },
      url: { enumerable: true, get: () => loader.url() },
    });
    defineProperty(load, 'meta', { get: () => meta });
    hidden(IMPORT, load);
  }

  begin({ argv, filename }) {
    if (Array.isArray(argv)) {
      process.argv = [Deno.execPath(), ...argv];
      Deno.args = argv.slice(1);
    }
    this.loader.begin(filename);
    if (this.loader.filename !== null) defineProperty(Deno, 'mainModule', { value: this.loader.url(), configurable: true, enumerable: true });
  }

  load(specifier, options) {
    return this.loader.load(specifier, options);
  }

  isLazy(name) {
    return (this.builtin.has(name) || GETTERS.has(name)) && Object.getOwnPropertyDescriptor(globalThis, name)?.get !== undefined;
  }

  /** What could be imported under a name that begins so: built-in modules, packages, files. */
  modules(prefix) {
    const scope = prefix.startsWith('@') && prefix.includes('/') ? prefix.slice(0, prefix.indexOf('/') + 1) : '';
    const found = new Set(NAMES);
    if (prefix.startsWith('node:')) for (const name of NAMES) found.add(`node:${name}`);
    const local = /^\.{1,2}\/(?:.*\/)?/.exec(prefix)?.[0];
    const list = (place, before) => {
      try {
        for (const { name } of Deno.readDirSync(place)) if (!name.startsWith('.')) found.add(before + name);
      } catch {}
    };
    if (local !== undefined) {
      found.clear();
      list(`${this.loader.directory()}/${local}`, local);
    } else {
      for (const place of [...this.loader.places(), libraries()]) list(`${place}/${scope}`, scope);
    }
    return [...found];
  }

  /** The parser, of the environment. */
  acorn() {
    return (this.parser ??= import(`file://${libraries()}/acorn/dist/acorn.mjs`));
  }
}

/** Where the environment's libraries are. */
export const libraries = () =>
  Deno.env.get('CELLBLOCK_TEST_NODE_MODULES') ?? new URL('../lib/node_modules', `file://${Deno.execPath()}`).pathname;
