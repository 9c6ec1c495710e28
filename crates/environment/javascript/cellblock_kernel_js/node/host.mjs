// What Node.js gives to the kernel: see the head of kernel.mjs.

import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';
import util from 'node:util';
import { Engine } from './engine.mjs';
import { Port } from './port.mjs';
import { installEnding } from './ending.mjs';
import { Globals } from './globals.mjs';
import { installImmediates } from './immediates.mjs';
import { installKill } from './kill.mjs';
import { guardSignals } from './signals.mjs';
import { apply, defineProperty, slice, lastIndexOf, split, startsWith } from '../safe.mjs';

const { process } = globalThis;
const { inspect } = util;
const { isNativeError, isPromise, isProxy } = util.types;
const { then } = Promise.prototype;
const { setImmediate: later, Error: AnyError, SyntaxError } = globalThis;
const { cpuUsage, chdir, cwd } = process;
const { readFileSync, statfsSync } = fs;
/** Whatever the code does to the class, `then` of this one makes a plain promise. */
const SETTLED = defineProperty(Promise.resolve(), 'constructor', { value: undefined });
const isInstance = Function.prototype[Symbol.hasInstance];

export function host(fd) {
  // The first call may be interrupted before it is read.
  guardSignals();
  const calls = new AsyncLocalStorage();
  const port = new Port(fd);
  const engine = new Engine();
  const globals = new Globals();
  const { run, getStore } = AsyncLocalStorage.prototype;
  const as = (owner, call) => apply(run, calls, [owner, call]);
  const owner = () => apply(getStore, calls, []);
  let directory = cwd();
  let ending;
  return {
    runtime: 'node',
    write: port.write,
    shielded: port.shielded,
    serve(kernel, on) {
      globals.install(kernel, this);
      installImmediates(port.words);
      installKill();
      ending = installEnding(on, owner, port);
      port.serve(on);
    },
    evaluate: (source, name, whose, settled) => as(whose, () => engine.evaluate(source, name, settled)),
    as,
    owner,
    turn: (call) => void later(call),
    // Not by nextTick, which does nothing once the process has begun to end.
    apart: (call) => void apply(then, SETTLED, [call]),
    inspect,
    isError: (value) => isNativeError(value) || (!isProxy(value) && apply(isInstance, AnyError, [value])),
    isSyntaxError: (value) => isNativeError(value) && apply(isInstance, SyntaxError, [value]),
    isProxy,
    isPromise,
    then: (promise, good, bad) => apply(then, promise, [good, bad]),
    begin(request) {
      guardSignals();
      // Handlers of 'exit' were interrupted.
      process._exiting = false;
      globals.begin(request);
      if (request.final) port.release();
    },
    load: (specifier, options) => globals.load(specifier, options),
    require: (specifier) => globals.require(specifier),
    acorn: () => globals.acorn(),
    ready() {},
    lexicalNames: () => engine.lexicalNames(),
    lookup: (name) => engine.lookup(name),
    isLazy: (name) => globals.isLazy(name),
    modules: (prefix) => globals.modules(prefix),
    libraries: () => globals.libraries(),
    broken: () => port.broken(),
    finish: (status) => ending.finish(status),
    drain() {},
    cpu: () => {
      const { user, system } = apply(cpuUsage, process, []);
      return (user + system) / 1e6 + childrenSeconds();
    },
    cwd: () => {
      // A directory that was removed has no name any more.
      try {
        directory = apply(cwd, process, []);
      } catch {}
      return directory;
    },
    chdir: (path) => {
      try {
        apply(chdir, process, [path]);
      } catch {}
    },
    full: () => fullMemory(),
  };
}

/** Processor time of ended children: Node tells it nowhere. */
function childrenSeconds() {
  try {
    const text = readFileSync('/proc/self/stat', 'latin1');
    const fields = split(slice(text, lastIndexOf(text, ')') + 2), ' ');
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return 0;
  }
}

function fullMemory() {
  for (const place of ['/tmp', '/dev/shm']) {
    const { bavail, bsize, files, ffree } = statfsSync(place);
    if (bavail * bsize < 65536 || (files > 0 && ffree === 0)) return place;
  }
  return null;
}
