// setTimeout, setInterval and setImmediate, whose callbacks can be interrupted.
//
// Deno takes a termination within a timer's callback for the end of the program. So the callback is called in the
// microtask that follows, where a termination ends only the callback (port.mjs). A timer that another callback of the
// same turn has cleared meanwhile stays silent.

import { apply, concat, defineProperty, uncurried } from '../safe.mjs';
import { due as ticksFirst, heed } from './ticks.mjs';

const { queueMicrotask: soon } = globalThis;
const { getOwnPropertyDescriptors, defineProperties } = Object;
const { Set } = globalThis;
const add = uncurried(Set.prototype.add);
const remove = uncurried(Set.prototype.delete);
const each = uncurried(Set.prototype.forEach);

export function installTimers() {
  for (const [name, clearing] of [['setTimeout', 'clearTimeout'], ['setInterval', 'clearInterval'], ['setImmediate', 'clearImmediate']]) {
    const { [name]: set, [clearing]: clear } = globalThis;
    /** Timers that have gone off and whose callbacks wait for their microtask. */
    const due = new Set();
    const methods = {
      [name](callback, ...rest) {
        if (typeof callback !== 'function') return apply(set, globalThis, concat([callback], rest));
        const goesOff = function (...given) {
          add(due, timer);
          ticksFirst();
          soon(() => {
            heed();
            if (remove(due, timer)) apply(callback, this, given);
          });
        };
        const timer = apply(set, globalThis, concat([goesOff], rest));
        return timer;
      },
      [clearing](timer) {
        if (!remove(due, timer) && typeof timer !== 'object') {
          each(due, (one) => {
            if (+one === +timer) remove(due, one);
          });
        }
        return clear(timer);
      },
    };
    for (const [key, native] of [[name, set], [clearing, clear]]) {
      // What `util.promisify` looks for, and the count of parameters.
      defineProperties(methods[key], getOwnPropertyDescriptors(native));
      defineProperty(globalThis, key, { value: methods[key], writable: true, configurable: true, enumerable: true });
    }
  }
}
