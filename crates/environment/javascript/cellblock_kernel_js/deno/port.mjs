// The socket, and interrupts, in Deno.
//
// The watcher (watcher.mjs), a Worker, reads the socket, hands on what it reads through a pipe, and wakes this thread.
// How the two agree on an interrupt is told in node/port.mjs, and the words of shared memory are the same. What must
// stay true besides:
// - A termination throws away every microtask that waits. So nothing here waits in one: what wakes us is a C function
//   that the event loop calls, and after a termination the watcher calls it again. Messages of Workers would not do:
//   what listens for them is one endless async function of Deno's, and nothing begins it again.
// - Code of the user's only ever runs in microtasks that nothing but the event loop stands behind. There a termination
//   ends that code; within a callback of a timer or of `nextTick` Deno takes it for the end of the program. So those
//   that the code and Node's modules give are called in microtasks (timers.mjs, ticks.mjs).
// - The inspector is never asked to run code from another thread. It may do so in the midst of other code, and then V8
//   ends the process.

import { fd, reader, whenWoken, words, worker } from './thread.mjs';
import { ANSWER, CANCELLED, SHIELD, WISH, mark } from '../node/words.mjs';
import { CANCEL, HEADER, RUN, readHeader } from '../wire.mjs';
import { Bytes, apply, encode, performanceNow as now } from '../safe.mjs';
import { whenSignalled } from './signals.mjs';
import { resumeTicks, ticksWait } from './ticks.mjs';
import { KILLED } from './words.mjs';
import { leave, readWhole, readable, sendWhole } from './system.mjs';

const { load, store, wait } = Atomics;
const { setTimeout: after, queueMicrotask: soon } = globalThis;
const { writeSync } = Deno.stderr;
const BROKEN = encode('what the code changed in the objects of the language or the runtime breaks its interpreter: it ends here\n');
/** Milliseconds in which Deno tells of a termination as of an exception, more than once at times. */
const TELLING = 1000;

export class Port {
  constructor() {
    this.words = words;
    this.depth = 0;
    this.killing = 0;
    this.write = (bytes) => {
      if (!sendWhole(fd, bytes)) leave(0);
    };
    this.shielded = (call) => this.shield(call);
  }

  shield(call) {
    if (this.depth > 0) return call();
    const { words } = this;
    for (;;) {
      store(words, SHIELD, 1);
      if (load(words, WISH) === 0) break;
      store(words, SHIELD, 0);
      wait(words, WISH, 1, 1000);
    }
    this.depth = 1;
    try {
      return call();
    } finally {
      this.depth = 0;
      store(words, SHIELD, 0);
    }
  }

  broken() {
    apply(writeSync, Deno.stderr, [BROKEN]);
    leave(70);
  }

  serve(on) {
    this.on = on;
    whenWoken(() => this.woken());
  }

  /** Whether there was a termination of which this thread has not been told yet, and this call is to be cancelled. */
  terminated(call) {
    return load(this.words, KILLED) === 1 && load(this.words, CANCELLED) === mark(call.id);
  }

  woken() {
    if (load(this.words, KILLED) === 1) {
      // Nothing of ours stands on the stack: what was begun has ended without us.
      this.depth = 0;
      store(this.words, SHIELD, 0);
      store(this.words, KILLED, 0);
      this.killing = now() + TELLING;
    }
    resumeTicks();
    if (ticksWait()) {
      // Perhaps a loop, which a termination has left its next tick. What is heard now would never begin; unheard, it has
      // the watcher terminate the loop once more.
      after(() => soon(() => this.woken()), 0);
      return;
    }
    while (readable(reader)) this.hear();
  }

  /** Whether what Deno tells of may be the end of what an interrupt terminated. It may come in the next call. */
  killed() {
    return load(this.words, KILLED) === 1 || now() < this.killing;
  }

  hear() {
    const frame = this.shield(() => {
      const bytes = new Bytes(HEADER);
      if (!readWhole(reader, bytes)) leave(0);
      const header = readHeader(bytes);
      const payload = new Bytes(header.length);
      readWhole(reader, payload);
      store(this.words, ANSWER, 1);
      return { ...header, payload };
    });
    try {
      if (frame.kind === CANCEL) whenSignalled(() => this.on.cancel(frame.call));
      else if (frame.kind === RUN) this.on.run(frame.call, frame.payload, load(this.words, CANCELLED) === mark(frame.call));
    } catch (error) {
      // Whatever the code has broken, the next call is heard.
      this.on.uncaught(error, undefined);
    }
  }

  /** From now on the process ends by itself when nothing else is left to do. */
  release() {
    worker.postMessage({ release: true });
    for (const key of Object.getOwnPropertySymbols(Worker.prototype)) {
      if (key.description === undefined) worker[key](false);
    }
  }
}
