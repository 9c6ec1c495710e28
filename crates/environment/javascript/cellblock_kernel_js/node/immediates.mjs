// setImmediate, whose callbacks can be interrupted.
//
// Node keeps its list of immediates right by `finally`, which a termination passes over: what stood behind the callback
// in the list would be lost, and the event loop would turn without rest for it; or Node would come upon the callback
// again and fail for ever. So the callback is called as one of `nextTick`, whose queue comes to no harm, when Node has
// done with the immediate. The order stays Node's: it calls what waits for nextTick after each immediate.

import { apply, defineProperty } from '../safe.mjs';
import { WISH } from './words.mjs';

const { process } = globalThis;
const { setImmediate: native } = globalThis;
// Not by `import`, which would give importers what the module had before.
const timers = process.getBuiltinModule('timers');
const { nextTick } = process;
const { load, wait } = Atomics;
const { getOwnPropertyDescriptors, defineProperties } = Object;
/** Milliseconds that a termination which is on its way is waited for. */
const LONGEST = 1000;

export function installImmediates(words) {
  const { setImmediate } = {
    setImmediate(callback, ...given) {
      if (typeof callback !== 'function') return native(callback);
      const tick = () => {
        // A loop through immediates would else meet its termination within Node's list, between two of its callbacks.
        if (load(words, WISH) === 1) wait(words, WISH, 1, LONGEST);
        apply(callback, immediate, given);
      };
      const immediate = native(() => apply(nextTick, process, [tick]));
      return immediate;
    },
  };
  // What `util.promisify` looks for, and the count of parameters.
  defineProperties(setImmediate, getOwnPropertyDescriptors(native));
  for (const place of [globalThis, timers]) {
    defineProperty(place, 'setImmediate', { value: setImmediate, writable: true, configurable: true, enumerable: true });
  }
}
