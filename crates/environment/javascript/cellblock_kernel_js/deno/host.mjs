// What Deno gives to the kernel: see the head of kernel.mjs.

import { Port } from './port.mjs';
import { Engine } from './engine.mjs';
import { Globals, libraries } from './globals.mjs';
import { installEnding } from './ending.mjs';
import { guardSignals, installSignals } from './signals.mjs';
import { installStacks } from './stacks.mjs';
import { childrenSeconds } from './system.mjs';
import { apply, match, startsWith } from '../safe.mjs';

const { process } = globalThis;
const { inspect, chdir, cwd } = Deno;
const { isProxy, isPromise, isNativeError } = Deno[Deno.internal].core;
const { then } = Promise.prototype;
const { setImmediate: later, setTimeout: after, clearTimeout, queueMicrotask: soon, Error: AnyError, SyntaxError } = globalThis;
const { getBuiltinModule, cpuUsage } = process;
const { AsyncLocalStorage } = process.getBuiltinModule('async_hooks');
const isInstance = Function.prototype[Symbol.hasInstance];

const isError = (value) => isNativeError(value) || (!isProxy(value) && apply(isInstance, AnyError, [value]));
/** Milliseconds that a turn of the event loop takes at most, if it does nothing else. */
const LATEST = 100;
const BARE = /^\[([^]*?)\]((?: \{[^]*)?)$/;


/** Deno's own text. It cannot leave out what an object says of itself, so then it is Node's. */
function textOf(value, { depth, maxArrayLength, maxStringLength, breakLength, customInspect = true } = {}) {
  if (!customInspect) return process.getBuiltinModule('util').inspect(value, { depth, maxArrayLength, maxStringLength, customInspect });
  const text = inspect(value, { depth, iterableLimit: maxArrayLength, strAbbreviateSize: maxStringLength, breakLength, colors: false });
  // An error without frames.
  const bare = isNativeError(value) && startsWith(text, '[') ? match(BARE, text) : null;
  return bare === null ? text : bare[1] + bare[2];
}

/** In a microtask: what it leads to may be code of the user's, which a termination may hit. */
function turn(call) {
  let timer;
  const come = () => {
    if (timer === null) return;
    clearTimeout(timer);
    timer = null;
    soon(call);
  };
  // Immediates fail where code has changed what arrays do.
  timer = after(come, LATEST);
  later(come);
}

export function host() {
  const port = new Port();
  const calls = new AsyncLocalStorage();
  const engine = new Engine((call) => port.terminated(call));
  const globals = new Globals();
  const { run, getStore } = AsyncLocalStorage.prototype;
  const as = (owner, call) => apply(run, calls, [owner, call]);
  const owner = () => apply(getStore, calls, []);
  let directory = cwd();
  let ending;
  return {
    runtime: 'deno',
    write: port.write,
    shielded: port.shielded,
    serve(kernel, on) {
      installSignals();
      installStacks();
      globals.install(kernel, this, port);
      ending = installEnding(on, owner, port);
      port.serve(on);
    },
    evaluate: (source, name, whose, settled) => as(whose, () => engine.evaluate(source, name, whose, settled)),
    as,
    owner,
    turn,
    apart: soon,
    inspect: textOf,
    isError,
    isSyntaxError: (value) => isNativeError(value) && apply(isInstance, SyntaxError, [value]),
    isProxy,
    isPromise,
    then: (promise, good, bad) => apply(then, promise, [good, bad]),
    begin(request) {
      guardSignals();
      globals.begin(request);
      // What its check needs. A module whose loading an interrupt terminates never works again.
      if (request.language === 'typescript') port.shield(() => apply(getBuiltinModule, process, ['child_process']));
      if (request.final !== true) return;
      // Its event loop may be empty before its code has settled.
      port.release();
      ending.drain();
    },
    load: (specifier, options) => globals.load(specifier, options),
    require: (specifier) => globals.loader.required().require(specifier),
    acorn: () => globals.acorn(),
    ready: () => engine.ready(),
    lexicalNames: () => engine.names,
    lookup: (name) => engine.lookup(name),
    isLazy: (name) => globals.isLazy(name),
    modules: (prefix) => globals.modules(prefix),
    libraries: () => libraries(),
    broken: () => port.broken(),
    finish: (status) => ending.finish(status),
    // Workers begin at once now, and the program's end waits for no session.
    drain: () => engine.disconnect(),
    cpu: () => {
      const { user, system } = apply(cpuUsage, process, []);
      return (user + system) / 1e6 + childrenSeconds();
    },
    cwd: () => {
      // A directory that was removed has no name any more.
      try {
        directory = cwd();
      } catch {}
      return directory;
    },
    chdir: (path) => {
      try {
        chdir(path);
      } catch {}
    },
    full: () => fullMemory(),
  };
}

function fullMemory() {
  const { statfsSync } = process.getBuiltinModule('fs');
  for (const place of ['/tmp', '/dev/shm']) {
    const { bavail, bsize, files, ffree } = statfsSync(place);
    if (bavail * bsize < 65536 || (files > 0 && ffree === 0)) return place;
  }
  return null;
}
