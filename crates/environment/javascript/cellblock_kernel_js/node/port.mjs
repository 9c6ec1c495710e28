// The socket, and interrupts.
//
// Until the first call there is this thread alone, because another one costs more than all the rest of the start. With
// the first call the watcher (watcher.mjs) begins, and once it is there it reads the socket: a cancel has to be heard
// while this thread is busy. Its start takes as long as many calls do, so meanwhile this thread goes on reading.
//
// There is one reader at a time, which a word of shared memory names. This thread takes it for one look at the socket
// and gives it back; the watcher takes it for good. What must stay true: only whole frames are read in such a look, no
// look waits for a frame to begin, and none is left to the event loop, whose reads know nothing of the word.
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

import EventEmitter from 'node:events';
import fs from 'node:fs';
import { CANCEL, HEADER, RUN, readHeader } from '../wire.mjs';
import { Bytes, apply } from '../safe.mjs';
import { whenSignalled } from './signals.mjs';
import { ANSWER, CANCELLED, INTERRUPTED, MAIN, NOBODY, READER, SHIELD, WISH, WORDS, mark } from './words.mjs';

const { process } = globalThis;
const { compareExchange, load, store, wait, notify } = Atomics;
const { writeSync, read, readSync } = fs;
const { setImmediate: later, setTimeout: after } = globalThis;
const { kill, pid, reallyExit } = process;
const { emit } = EventEmitter.prototype;
/** Ends the process without a word to anybody. */
const exit = (status) => apply(reallyExit, process, [status]);
const getBuiltinModule = process.getBuiltinModule.bind(process);
/** Milliseconds between two looks at the socket while the watcher starts. */
const LOOK = 1;

/** The other end is gone: nobody is left to report to. */
function leave() {
  apply(kill, process, [pid, 'SIGKILL']);
}

export class Port {
  constructor(fd) {
    this.fd = fd;
    this.words = new Int32Array(new SharedArrayBuffer(4 * WORDS));
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
          // The way of reading makes writes not wait either.
          this.rest();
        } else if (error.code !== 'EINTR') {
          if (error.code === 'EPIPE' || error.code === 'ECONNRESET' || error.code === 'ENOTCONN') leave();
          if (error.syscall !== 'write') return this.broken();
          this.end('the code closed the descriptor through which its interpreter speaks');
        }
      }
    }
  }

  broken() {
    this.end('what the code changed in the objects of the language or the runtime breaks its interpreter');
  }

  end(why) {
    try {
      writeSync(2, `${why}: it ends here\n`);
    } catch {}
    exit(70);
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
        later(() => later(() => this.share()));
        this.begin({ kind: RUN, call: header.call, payload });
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

  /** Goes on reading until the watcher does. The first call's output is not kept waiting for what that needs. */
  share() {
    if (load(this.words, READER) !== NOBODY) return;
    const { Socket } = getBuiltinModule('net');
    // Opening it makes the descriptor one that does not wait, for which Node has nothing else. It never reads.
    this.socket = new Socket({ fd: this.fd, readable: false, writable: false });
    this.look();
  }

  look() {
    const { words } = this;
    if (compareExchange(words, READER, NOBODY, MAIN) !== NOBODY) return;
    const frame = this.receive();
    store(words, READER, NOBODY);
    notify(words, READER);
    after(() => this.look(), LOOK).unref();
    if (frame !== null) this.begin(frame);
  }

  /** The next frame, or null if there is none yet. */
  receive() {
    const bytes = new Bytes(HEADER);
    if (!this.fetch(bytes, false)) return null;
    const header = readHeader(bytes);
    if (header === null) return leave();
    const payload = new Bytes(header.length);
    this.fetch(payload, true);
    return { kind: header.kind, call: header.call, payload };
  }

  /** Fills the bytes. Unless it is `begun`, what is to come may be nothing. */
  fetch(bytes, begun) {
    for (let at = 0; at < bytes.length; ) {
      try {
        const got = readSync(this.fd, bytes, at, bytes.length - at, null);
        if (got === 0) return leave();
        at += got;
      } catch (error) {
        if (error.code !== 'EAGAIN' && error.code !== 'EINTR') return leave();
        if (at === 0 && !begun) return false;
        this.rest();
      }
    }
    return true;
  }

  rest() {
    wait(this.nap, 0, 0, 1);
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
    // As it was before any code of the user's.
    this.worker.emit = emit;
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
    this.begin({ kind, call, payload });
  }

  begin({ kind, call, payload }) {
    if (kind === CANCEL) {
      store(this.words, INTERRUPTED, 1);
      whenSignalled(() => this.on.cancel(call));
    } else if (kind === RUN) {
      this.on.run(call, payload, load(this.words, CANCELLED) === mark(call));
    }
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
