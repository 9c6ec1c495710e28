// SIGINT, which comes with every cancel and is not how we hear of it; and SIGUSR1, at which Node opens its inspector.
//
// Listeners that do nothing to them, so that the signals do not do that; the user's own are called by Node. Code that
// removes all listeners would give the signals that power back: so ours come back, at once or with the next call, and
// with them the listeners by which Node itself notices that somebody listens to a signal. Node's own option for SIGUSR1,
// `--disable-sigusr1`, blocks the signal: no listener of the user's would ever be called.

import { apply } from '../safe.mjs';
import { forget, heard, whenHeard } from '../signals.mjs';

const { process } = globalThis;
const { on, listeners, listenerCount, removeListener } = process;
const NOTICES = ['newListener', 'removeListener'];
/** Node's own. */
const noticing = NOTICES.map((type) => process.listeners(type));

const nothing = () => {};
/** Our own. */
const GUARDS = [['SIGINT', heard], ['SIGUSR1', nothing]];

function back(type, listener) {
  for (let at = 0; at < GUARDS.length; at += 1) if (listener === GUARDS[at][1]) apply(on, process, GUARDS[at]);
}

function listens(type, listener) {
  const all = apply(listeners, process, [type]);
  for (let at = 0; at < all.length; at += 1) if (all[at] === listener) return true;
  return false;
}

/** Before a call: SIGINT does not end the process, and SIGUSR1 opens nothing. */
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
    for (let at = 0; at < GUARDS.length; at += 1) apply(removeListener, process, GUARDS[at]);
  }
  for (let at = 0; at < GUARDS.length; at += 1) if (!listens(GUARDS[at][0], GUARDS[at][1])) apply(on, process, GUARDS[at]);
  if (!listens('removeListener', back)) apply(on, process, ['removeListener', back]);
}

/** Calls it when handlers of SIGINT that the user registered have run: what they print belongs to the call. */
export function whenSignalled(call) {
  if (apply(listenerCount, process, ['SIGINT']) < 2) call();
  else whenHeard(call);
}
