// SIGINT, which comes with every cancel and is not how we hear of it.
//
// A listener that does nothing to it, so that the signal does not end the process; the user's own are called by Node.
// Code that removes all listeners would give the signal that power back: so ours comes back, at once or with the next
// call.

import { apply } from '../safe.mjs';

const { on, listeners, listenerCount } = process;
const { clearTimeout, setImmediate: later, setTimeout: after } = globalThis;
/** Milliseconds in which a signal that was sent with a cancel comes, if it comes. */
const SOON = 100;

let seen = false;
let waiting = null;

function heard() {
  seen = true;
  // Ours was registered first: those of the user's come in this same turn.
  if (waiting !== null) later(waiting);
  waiting = null;
}

function back(type, listener) {
  if (listener === heard) apply(on, process, ['SIGINT', heard]);
}

/** Before a call: SIGINT does not end the process. */
export function guardSignals() {
  seen = false;
  if (apply(listeners, process, ['SIGINT']).indexOf(heard) < 0) apply(on, process, ['SIGINT', heard]);
  if (apply(listeners, process, ['removeListener']).indexOf(back) < 0) apply(on, process, ['removeListener', back]);
}

/** Calls it when handlers of SIGINT that the user registered have run: what they print belongs to the call. */
export function whenSignalled(call) {
  if (apply(listenerCount, process, ['SIGINT']) < 2) {
    call();
    return;
  }
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    call();
  };
  const timer = after(once, SOON);
  if (seen) later(once);
  else waiting = once;
}
