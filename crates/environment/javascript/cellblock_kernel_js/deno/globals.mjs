// The globals that code expects besides Deno's own: require, module, import, the arguments, Node's modules by name.
//
// They follow the working directory, as a program's follow its file. Node's modules cost tens of milliseconds when the
// first of them is loaded, so each is loaded when it is first read.

import { importable, installPlace, isUnread, lazy } from '../globals.mjs';
import { installRefusals } from '../refusals.mjs';
import { apply, concat, defineProperty, isArray } from '../safe.mjs';
import { Loader } from './modules.mjs';
import { installStreams } from './streams.mjs';
import { installTicks } from './ticks.mjs';
import { installTimers } from './timers.mjs';

const { process } = globalThis;
const NAMES = [
  'assert', 'async_hooks', 'buffer', 'child_process', 'cluster', 'constants', 'dgram', 'diagnostics_channel', 'dns',
  'domain', 'events', 'fs', 'http', 'http2', 'https', 'inspector', 'net', 'os', 'path', 'perf_hooks', 'punycode',
  'querystring', 'readline', 'repl', 'stream', 'string_decoder', 'sys', 'timers', 'tls', 'tty', 'url', 'util', 'v8', 'vm',
  'wasi', 'worker_threads', 'zlib',
];

/** Globals of Deno's that are made when first read, by nothing of the user's. */
const GETTERS = new Set(['Buffer', 'global', 'process']);

export class Globals {
  install(kernel, { owner, shielded }, { words }) {
    installStreams(kernel);
    installRefusals(kernel);
    installTicks(words);
    installTimers();
    process.argv = [Deno.execPath()];
    defineProperty(Deno, 'args', { value: [], writable: true, configurable: true, enumerable: true });
    const loader = (this.loader = new Loader(owner));
    const { getBuiltinModule } = process;
    this.builtin = new Set();
    for (const name of NAMES) {
      if (name in globalThis) continue;
      // A module whose loading an interrupt terminates never works again.
      lazy(name, () => shielded(() => apply(getBuiltinModule, process, [name])));
      this.builtin.add(name);
    }
    lazy('require', () => loader.required().require);
    lazy('module', () => loader.required().module);
    lazy('exports', () => loader.required().module.exports);
    installPlace(loader);
  }

  begin({ argv, filename }) {
    if (isArray(argv)) {
      process.argv = concat([Deno.execPath()], argv);
      Deno.args = argv.slice(1);
    }
    this.loader.begin(filename);
    if (this.loader.filename !== null) defineProperty(Deno, 'mainModule', { value: this.loader.url(), configurable: true, enumerable: true });
  }

  load(specifier, options) {
    return this.loader.load(specifier, options);
  }

  isLazy(name) {
    return (this.builtin.has(name) || GETTERS.has(name)) && isUnread(name);
  }

  modules(prefix) {
    return importable(prefix, {
      builtin: NAMES,
      directory: this.loader.directory(),
      places: [...this.loader.places(), libraries()],
      list: (place) => Array.from(Deno.readDirSync(place), ({ name }) => name),
    });
  }

  /** The parser, of the environment. */
  acorn() {
    return (this.parser ??= import(`file://${libraries()}/acorn/dist/acorn.mjs`));
  }
}

/** Where the environment's libraries are. */
export const libraries = () =>
  Deno.env.get('CELLBLOCK_TEST_NODE_MODULES') ?? new URL('../lib/node_modules', `file://${Deno.execPath()}`).pathname;
