// SIGINT, which comes with every cancel and is not how we hear of it.
//
// A listener that does nothing to it, so that the signal does not end the process; the user's own are called by Node.
// Code that removes all listeners would give the signal that power back: so ours comes back, at once or with the next
// call, and with it the listeners by which Node itself notices that somebody listens to a signal.

import { apply } from '../safe.mjs';
import { forget, heard, whenHeard } from '../signals.mjs';

const { on, listeners, listenerCount, removeListener } = process;
const NOTICES = ['newListener', 'removeListener'];
/** Node's own. */
const noticing = NOTICES.map((type) => process.listeners(type));

function back(type, listener) {
  if (listener === heard) apply(on, process, ['SIGINT', heard]);
}

function listens(type, listener) {
  const all = apply(listeners, process, [type]);
  for (let at = 0; at < all.length; at += 1) if (all[at] === listener) return true;
  return false;
}

/** Before a call: SIGINT does not end the process. */
export function guardSignals() {
  forget();
  let lost = false;
  for (let at = 0; at < NOTICES.length; at += 1) {
    for (let each = 0; each < noticing[at].length; each += 1) {
      if (listens(NOTICES[at], noticing[at][each])) continue;
      lost = true;
      apply(on, process, [NOTICES[at], noticing[at][each]]);
    }
  }
  if (lost) {
    // Node has not noticed what happened meanwhile.
    apply(removeListener, process, ['removeListener', back]);
    apply(removeListener, process, ['SIGINT', heard]);
  }
  if (!listens('SIGINT', heard)) apply(on, process, ['SIGINT', heard]);
  if (!listens('removeListener', back)) apply(on, process, ['removeListener', back]);
}

/** Calls it when handlers of SIGINT that the user registered have run: what they print belongs to the call. */
export function whenSignalled(call) {
  if (apply(listenerCount, process, ['SIGINT']) < 2) call();
  else whenHeard(call);
}
