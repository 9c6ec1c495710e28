// SIGINT in Deno, which comes with every cancel and is not how we hear of it.
//
// A listener of ours keeps it from ending the process; children do as they like. The user's own are called by Deno, in
// the order of registration, so behind ours and in the same turn: a call that is cancelled ends when they have run, and
// what they print belongs to it.

import { apply } from '../safe.mjs';
import { heard, whenHeard } from '../signals.mjs';

const { process } = globalThis;

export { forget as guardSignals } from '../signals.mjs';

const { listenerCount } = process;
const { queueMicrotask: soon } = globalThis;
/** Listeners that were registered with Deno rather than with Node's `process`. */
let own = 0;

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

/** Calls it when handlers of SIGINT that the user registered have run. */
export function whenSignalled(call) {
  if (own + apply(listenerCount, process, ['SIGINT']) < 1) call();
  else whenHeard(() => soon(call));
}
