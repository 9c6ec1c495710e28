// SIGINT in Deno, which comes with every cancel and is not how we hear of it.
//
// A listener of ours keeps it from ending the process; children do as they like. The user's own are called by Deno, in
// the order of registration, so behind ours and in the same turn: a call that is cancelled ends when they have run, and
// what they print belongs to it.

import { apply } from '../safe.mjs';

const { listenerCount } = process;
const { clearTimeout, setImmediate: later, setTimeout: after, queueMicrotask: soon } = globalThis;
/** Milliseconds in which a signal that was sent with a cancel comes, if it comes. */
const SOON = 100;

let seen = false;
let waiting = null;
/** Listeners that were registered with Deno rather than with Node's `process`. */
let own = 0;

function heard() {
  seen = true;
  if (waiting !== null) later(waiting);
  waiting = null;
}

export function installSignals() {
  const { addSignalListener, removeSignalListener } = Deno;
  apply(addSignalListener, Deno, ['SIGINT', heard]);
  Deno.addSignalListener = (name, listener) => {
    apply(addSignalListener, Deno, [name, listener]);
    if (name === 'SIGINT') own += 1;
  };
  Deno.removeSignalListener = (name, listener) => {
    apply(removeSignalListener, Deno, [name, listener]);
    if (name === 'SIGINT' && own > 0) own -= 1;
  };
}

/** Before a call: a signal that came earlier is none of its. */
export function guardSignals() {
  seen = false;
}

/** Calls it when handlers of SIGINT that the user registered have run. */
export function whenSignalled(call) {
  if (own + apply(listenerCount, process, ['SIGINT']) < 1) {
    call();
    return;
  }
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    soon(call);
  };
  const timer = after(once, SOON);
  if (seen) later(once);
  else waiting = once;
}
