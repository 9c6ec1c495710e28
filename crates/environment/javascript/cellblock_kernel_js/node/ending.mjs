// The end of the process: what is uncaught, and the last words.
//
// What must stay true: whichever way the process ends by JavaScript (`process.exit`, an empty event loop, an exception
// within a handler of exceptions), handlers of 'exit' have run and what they printed is out before the call's report.

import { apply } from '../safe.mjs';

const { process, setTimeout: after } = globalThis;
/** Exceptions without a turn of the event loop: what Node does after each fails as well, and for ever. */
const MANY = 10000;

export function installEnding(on, owner, port) {
  const really = process.reallyExit;
  const { exit, emit, on: listen, removeListener, listenerCount, hasUncaughtExceptionCaptureCallback } = process;
  const caught = process._fatalException;
  let asked = false;

  process.exit = function (status) {
    asked = true;
    return apply(exit, process, arguments.length > 0 ? [status] : []);
  };
  // `process.exit` comes through here when the handlers have run.
  process.reallyExit = (status) => {
    apply(really, process, [on.leaving(status ?? 0, false)]);
  };
  // Without `process.exit` nobody calls it.
  const last = (status) => {
    if (!asked) process.exitCode = on.leaving(status, true);
  };
  const wait = () => {
    // Behind those that the program added meanwhile.
    apply(removeListener, process, ['exit', last]);
    apply(listen, process, ['exit', last]);
  };
  apply(listen, process, ['exit', last]);
  apply(listen, process, ['beforeExit', wait]);

  let many = 0;
  const count = () => {
    many += 1;
    // Not an immediate, which comes among them.
    if (many === 1) after(() => (many = 0), 0);
    if (many > MANY) port.broken();
  };

  // What C++ calls with an exception that nobody caught, or a rejection that nobody handled.
  const take = () => {};
  process._fatalException = (error, fromPromise) => {
    const whose = owner();
    let theirs = false;
    try {
      // A termination has left it.
      apply(removeListener, process, ['uncaughtException', take]);
      const handled =
        apply(listenerCount, process, ['uncaughtException']) > 0 || apply(hasUncaughtExceptionCaptureCallback, process, []);
      if (handled) {
        theirs = true;
        return apply(caught, process, [error, fromPromise]);
      }
      apply(listen, process, ['uncaughtException', take]);
      // It mends Node's own state after the exception.
      apply(caught, process, [error, fromPromise]);
      apply(removeListener, process, ['uncaughtException', take]);
    } catch (failure) {
      // Of a listener of the user's it ends the process. Else it is what calls listeners that fails.
      if (theirs) throw failure;
    }
    try {
      on.uncaught(error, whose, fromPromise);
      if (!fromPromise) count();
    } catch (failure) {
      // Of a handler of 'exit'.
      if (process._exiting) throw failure;
      port.broken();
    }
    return true;
  };

  return {
    finish(status) {
      // An exit code that the program chose for itself stays.
      process.exit(process.exitCode || status);
    },
  };
}
