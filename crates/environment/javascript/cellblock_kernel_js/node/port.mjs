// The socket, and interrupts.
//
// Until the first call there is this thread alone, because another one costs more than all the rest of the start. With
// the first call the watcher (watcher.mjs) begins, and from then on it reads the socket: a cancel has to be heard while
// this thread is busy.
//
// An interrupt asks twice. The watcher posts a message; code that only waits lets us hear it, and the call ends. If we
// do not answer, we are busy, and the watcher has V8 terminate what runs. What must stay true: that never hits code of
// the kernel that has begun something (a frame half written, a call half ended). `shielded` and the watcher agree on it
// by two words of shared memory, each writing its own before it reads the other's: so either the watcher sees the
// shield and tries again, or we see the wish and wait to be terminated before we begin. It also never hits an idle
// thread, where V8 would keep it for whatever comes next: the wish is only granted while our answer is out.
//
// Code that waited when it was interrupted may go on when the call has ended, and never end. It is terminated if the
// next call finds this thread busy with it.

import fs from 'node:fs';
import { CANCEL, HEADER, RUN, readHeader } from '../wire.mjs';
import { Bytes } from '../safe.mjs';
import { whenSignalled } from './signals.mjs';
import { ANSWER, SHIELD, WISH } from './words.mjs';

const { load, store, wait, notify } = Atomics;
const { writeSync, read } = fs;
const { kill, pid } = process;
const getBuiltinModule = process.getBuiltinModule.bind(process);
const GONE = ['EPIPE', 'ECONNRESET', 'ENOTCONN'];

/** The other end is gone: nobody is left to report to. */
function leave() {
  kill.call(process, pid, 'SIGKILL');
}

export class Port {
  constructor(fd) {
    this.fd = fd;
    this.words = new Int32Array(new SharedArrayBuffer(16));
    this.depth = 0;
    this.released = false;
    this.worker = null;
    this.last = null;
    this.nap = new Int32Array(new SharedArrayBuffer(4));
    this.write = (bytes) => this.send(bytes);
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

  send(bytes) {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.fd, bytes, at, bytes.length - at);
      } catch (error) {
        if (error.code === 'EAGAIN') {
          // The watcher's way of reading makes writes not wait either.
          wait(this.nap, 0, 0, 1);
        } else if (error.code !== 'EINTR') {
          if (GONE.includes(error.code)) leave();
          writeSync(2, 'the code closed the descriptor through which its interpreter speaks: it ends here\n');
          process.reallyExit(70);
        }
      }
    }
  }

  serve(on) {
    this.on = on;
    this.first();
  }

  /** Reads the first frame here. */
  first() {
    this.fill(new Bytes(HEADER), 0, (bytes) => {
      const header = readHeader(bytes);
      if (header === null) return leave();
      this.fill(new Bytes(header.length), 0, (payload) => {
        if (header.kind !== RUN) return this.first();
        this.watch();
        this.hear({ kind: RUN, call: header.call, payload });
      });
    });
  }

  fill(bytes, at, then) {
    if (at === bytes.length) {
      then(bytes);
      return;
    }
    read(this.fd, bytes, at, bytes.length - at, null, (error, got) => {
      if (error && error.code !== 'EAGAIN') return leave();
      if (!error && got === 0) return leave();
      this.fill(bytes, at + (error ? 0 : got), then);
    });
  }

  watch() {
    const { Worker } = getBuiltinModule('worker_threads');
    this.worker = new Worker(new URL('./watcher.mjs', import.meta.url), {
      workerData: { fd: this.fd, words: this.words },
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 },
      trackUnmanagedFds: false,
      execArgv: [],
      env: {},
    });
    this.worker.on('message', (message) => this.hear(message));
    this.worker.on('error', (error) => {
      writeSync(2, `the kernel's watcher failed: ${error?.stack ?? error}\n`);
      leave();
    });
  }

  hear({ kind, call, payload }) {
    if (kind === RUN && this.isKnown(call)) return;
    this.shield(() => {
      // One that is told again is not run again.
      if (kind === RUN) this.last = call;
      store(this.words, ANSWER, 1);
      notify(this.words, ANSWER);
    });
    if (kind === CANCEL) whenSignalled(() => this.on.cancel(call));
    else this.on.run(call, payload);
  }

  isKnown(call) {
    for (let at = 0; at < call.length; at++) if (call[at] !== this.last?.[at]) return false;
    return true;
  }

  /** From now on the process ends by itself when nothing else is left to do. */
  release() {
    this.released = true;
    this.worker?.unref();
  }
}
