// The SIGINT that comes with every cancel: waits for it, so that what handlers of the user's print belongs to the call.

const { clearTimeout, setImmediate: later, setTimeout: after } = globalThis;
/** Milliseconds in which a signal that was sent with a cancel comes, if it comes. */
const SOON = 100;

let seen = false;
let waiting = null;

/** Our listener, which was registered first: those of the user's are called in this same turn. */
export function heard() {
  seen = true;
  if (waiting !== null) later(waiting);
  waiting = null;
}

/** Before a call: a signal that came earlier is none of its. */
export function forget() {
  seen = false;
}

/** Calls it when the signal has come, or does not come. */
export function whenHeard(call) {
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
