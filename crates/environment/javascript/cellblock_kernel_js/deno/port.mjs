// The socket, and interrupts, in Deno.
//
// The watcher (watcher.mjs), a Worker, reads the socket and hands on what it reads through a pipe; this thread waits for
// the pipe and reads it whole. How the two agree on an interrupt is told in node/port.mjs, and the words of shared
// memory are the same. What must stay true besides:
// - A termination throws away every microtask that waits, so also the continuation that waits for the pipe. Therefore
//   the watcher has the inspector call `resume` after each one, which waits anew. A wait too many does no harm: each
//   looks whether there is something to read, and only the latest waits again. Messages of Workers would not do: what
//   listens for them is one endless async function of Deno's, and nothing begins it again.
// - Code of the user's only ever runs in microtasks that nothing but the event loop stands behind. There a termination
//   ends that code; within a callback of a timer or of `nextTick` Deno takes it for the end of the program.
// - The Worker is made before the first inspector session: with one, each new Worker waits for a debugger for half a
//   second, unless one answers (watcher.mjs does, for the user's Workers).

import { ANSWER, SHIELD, WISH } from '../node/words.mjs';
import { CANCEL, HEADER, RUN, readHeader } from '../wire.mjs';
import { Bytes } from '../safe.mjs';
import { leave, own, pipe, readWhole, readable, sendWhole, untilReadable } from './system.mjs';

const { load, store, wait } = Atomics;
const { setImmediate: later, queueMicrotask: soon } = globalThis;
const { unrefOpPromise: unref } = Deno[Deno.internal].core;
export const RESUME = 'cellblock.resume';

export class Port {
  constructor(fd) {
    own(fd);
    this.fd = fd;
    const [reader, writer] = pipe();
    this.reader = reader;
    this.words = new Int32Array(new SharedArrayBuffer(16));
    this.depth = 0;
    this.turn = 0;
    this.worker = new Worker(new URL('./watcher.mjs', import.meta.url), { type: 'module', name: 'cellblock' });
    this.worker.onerror = (event) => {
      event.preventDefault();
      leave(70);
    };
    this.start = { fd, writer, words: this.words };
    this.write = (bytes) => {
      if (!sendWhole(fd, bytes)) leave(0);
    };
    this.shielded = (call) => this.shield(call);
    Object.defineProperty(globalThis, Symbol.for(RESUME), { value: () => this.resume() });
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

  serve(on, url) {
    this.on = on;
    this.worker.postMessage({ ...this.start, url });
    this.listen();
  }

  /** Begins to listen anew: a termination has swept away what listened. */
  resume() {
    this.depth = 0;
    store(this.words, SHIELD, 0);
    later(() => soon(() => this.listen()));
  }

  async listen() {
    this.turn += 1;
    const { turn, reader } = this;
    do {
      while (readable(reader)) this.hear();
      const ready = untilReadable(reader);
      // The Worker is what keeps the event loop going; a program's end must not wait for this.
      unref(ready);
      await ready;
    } while (turn === this.turn);
    while (readable(reader)) this.hear();
  }

  hear() {
    const frame = this.shield(() => {
      const bytes = new Bytes(HEADER);
      if (!readWhole(this.reader, bytes)) leave(0);
      const header = readHeader(bytes);
      const payload = new Bytes(header.length);
      readWhole(this.reader, payload);
      if (header.kind === CANCEL) store(this.words, ANSWER, 1);
      return { ...header, payload };
    });
    try {
      if (frame.kind === CANCEL) this.on.cancel(frame.call);
      else if (frame.kind === RUN) this.on.run(frame.call, frame.payload);
    } catch (error) {
      // Whatever the code has broken, the next call is heard.
      this.on.uncaught(error, undefined);
    }
  }

  /** From now on the process ends by itself when nothing else is left to do. */
  release() {
    this.worker.postMessage({ release: true });
    for (const key of Object.getOwnPropertySymbols(Worker.prototype)) {
      if (key.description === undefined) this.worker[key](false);
    }
  }
}
