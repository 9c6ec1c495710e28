// The end of the process in Deno: what is uncaught, and the last words.
//
// What must stay true: whichever way code ends the process (`Deno.exit`, `process.exit`, an empty event loop), listeners
// of `unload` and of 'exit' have run and what they printed is out before the call's report; and the process then ends at
// once. Deno's own way to end would wait for the inspector's sessions, and fails with one of this thread's.

import { apply, defineProperty } from '../safe.mjs';
import { ownerOf } from './stacks.mjs';
import { leave } from './system.mjs';

const { process } = globalThis;

export function installEnding(on, owner, port) {
  const { dispatchEvent, queueMicrotask: soon } = globalThis;
  const { emit, listenerCount } = process;
  let ending = false;

  const end = (status) => {
    if (!ending) {
      ending = true;
      try {
        apply(dispatchEvent, globalThis, [new Event('unload')]);
      } catch {}
    }
    leave((on.leaving(status, false) ?? status) & 0xff);
  };
  const exit = (code) => {
    if (code !== undefined && typeof code !== 'number') {
      throw new TypeError(`Exit code should be of type number, received: ${typeof code}`);
    }
    end(code ?? Deno.exitCode);
  };
  Deno.exit = exit;
  // `process.exit` comes through here when the handlers have run.
  process.reallyExit = end;

  /** Takes an event that would end the process, unless code of the user's has a listener that takes it. */
  const take = (event, name, thrown, uncaught) => {
    if (event.defaultPrevented) return;
    if (apply(listenerCount, process, [name]) > 0) {
      if (name !== 'unhandledRejection') return;
      // Deno would call it where an interrupt ends the process (port.mjs).
      event.preventDefault();
      soon(() => apply(emit, process, [name, event.reason, event.promise]));
      return;
    }
    event.preventDefault();
    // A termination, where Deno takes it for an exception: it is told otherwise.
    if (thrown === null && port.killed()) return;
    let taken = false;
    // Those that come behind this listener.
    defineProperty(event, 'preventDefault', { value: () => void (taken = true) });
    soon(() => {
      if (!taken) uncaught();
    });
  };
  addEventListener('unhandledrejection', (event) => {
    const whose = owner() ?? ownerOf(event.reason);
    take(event, 'unhandledRejection', event.reason, () => on.uncaught(event.reason, whose, true));
  });
  addEventListener('error', (event) => {
    const error = event.error === null && event.filename ? told(event) : event.error;
    const whose = owner() ?? ownerOf(error);
    take(event, 'uncaughtException', event.error, () => on.uncaught(error, whose));
  });

  return {
    finish: (status) => process.exit(process.exitCode || status),
    /** The event loop has nothing more to do: Deno says so by this event, after those of `beforeunload`. */
    drain() {
      const { on: listen } = process;
      apply(listen, process, ['beforeExit', () => {}]);
      addEventListener('unload', () => {
        if (ending) return;
        ending = true;
        process._exiting = true;
        const status = process.exitCode ?? 0;
        try {
          apply(emit, process, ['exit', status]);
        } catch (error) {
          // Ends the program that has failed after all.
          on.uncaught(error, undefined);
          leave(1);
        }
        const last = process.exitCode ?? status;
        leave((on.leaving(last, true) ?? last) & 0xff);
      });
    },
  };
}

/** The error of a Worker, of which only the text comes. */
function told({ message, filename, lineno, colno }) {
  const [, name, text] = /^(?:Uncaught )?(?:\(in promise\) )?(?:([A-Za-z]+): )?([^]*)$/.exec(message);
  const error = new Error(text);
  if (name !== undefined) error.name = name;
  error.stack = `${name ?? 'Error'}: ${text}\n    at ${filename}:${lineno}:${colno}`;
  return error;
}
