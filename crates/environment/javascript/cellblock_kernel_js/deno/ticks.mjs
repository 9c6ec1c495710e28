// process.nextTick, whose callbacks can be interrupted: those of the user's code, and those of Node's own modules, which
// call code of the user's (streams, zlib, crypto, listen).
//
// Deno takes a termination within such a callback for the end of the program. So they wait in a queue of ours, and all
// of it is called in a microtask, where a termination ends only the callback that runs (port.mjs). In Deno's own queue
// stands one callback that sets this microtask off. The order stays Node's: callbacks that a callback adds come before
// the microtasks that it adds. Those that a termination left are called when the port wakes.
//
// What does not call `process.nextTick` but the function itself is told by a hook before it is queued.
//
// Not mended: of a loop that awaits a promise which a tick resolves (`for (;;) await new Promise(r => process.nextTick(r))`)
// about one interrupt in 600 ends the process, which is told as its crash.

import { WISH } from '../node/words.mjs';
import { apply, defineProperty } from '../safe.mjs';

const { process } = globalThis;
const { createHook } = process.getBuiltinModule('async_hooks');
const { getAsyncContext, setAsyncContext } = Deno[Deno.internal].core;
const { queueMicrotask: soon } = globalThis;
const { load, wait } = Atomics;
const { getOwnPropertyDescriptors, defineProperties } = Object;

/** The watcher's wishes. */
let words;
/** The context that stands for no call. */
const outer = getAsyncContext();
/** The queue is linked: what the code does to arrays is none of its business. */
let first = null;
let last = null;
let draining = false;

/**
 * Waits for the termination that is on its way, if one is. A loop through ticks or timers would else meet it in Deno's
 * own code between two of its callbacks, where it ends the process. To be called in a microtask.
 */
export function heed() {
  if (load(words, WISH) === 1) wait(words, WISH, 1, 1000);
}

function add(callback, given, context) {
  const tick = { __proto__: null, callback, given, context, next: null };
  if (last === null) first = tick;
  else last.next = tick;
  last = tick;
}

function drain() {
  const before = getAsyncContext();
  draining = true;
  try {
    while (first !== null) {
      const { callback, given, context } = first;
      first = first.next;
      if (first === null) last = null;
      // The one that is lost then is part of the loop, or the loop would never end.
      heed();
      setAsyncContext(context);
      apply(callback, undefined, given);
    }
  } finally {
    // Not so after a termination.
    draining = false;
    setAsyncContext(before);
    if (first !== null) soon(drain);
  }
}

/** Sets off what waits, before any microtask that comes from now on. */
export function due() {
  if (first !== null) soon(drain);
}

/** Goes on with what a termination left. Called where no callback can be running. */
export function resumeTicks() {
  setAsyncContext(outer);
  draining = false;
  due();
}

/** Whether any wait. */
export const ticksWait = () => first !== null;

export function installTicks(shared) {
  words = shared;
  const { nextTick: native } = process;
  const { nextTick } = {
    nextTick(callback, ...given) {
      if (typeof callback !== 'function') return apply(native, process, [callback]);
      const waits = draining || first !== null;
      add(callback, given, getAsyncContext());
      if (!waits) apply(native, process, [due]);
    },
  };
  defineProperties(nextTick, getOwnPropertyDescriptors(native));
  defineProperty(process, 'nextTick', { value: nextTick, writable: true, configurable: true, enumerable: true });
  createHook({
    init(id, type, trigger, tick) {
      if (type !== 'TickObject' || tick.callback === due || typeof tick.callback !== 'function') return;
      add(tick.callback, tick.args ?? [], tick.snapshot);
      tick.callback = due;
      tick.args = undefined;
    },
  }).enable();
}
