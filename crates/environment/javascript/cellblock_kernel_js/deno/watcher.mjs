// The thread that reads the socket and interrupts the main thread, in Deno: see port.mjs.

import { ANSWER, CANCELLED, SHIELD, WISH, mark } from '../node/words.mjs';
import { CANCEL, HEADER, RUN, readHeader } from '../wire.mjs';
import { Inspector } from './inspector.mjs';
import { KILLED } from './words.mjs';
import { leave, pause as sleep, readLater, untilReadable, writeLater } from './system.mjs';

/** Milliseconds in which a main thread that is not busy answers, and between looks at one that is shielded. */
const PATIENCE = 60;
const AGAIN = 1;
/** Milliseconds that a loop through ticks or timers has to come to where it waits for its end (ticks.mjs). */
const HEED = 5;
/** Milliseconds that a call after an interrupted one waits for the main thread, if what that left behind keeps it busy. */
const CLEAR = 200;
const TRIES = 100;
/** Milliseconds that a termination is waited for. */
const LONGEST = 500;
/** Bytes that the smallest pipe holds. */
const PIPE = 4096;

let fd;
let writer;
let words;
let url;
let wake;
let inspector = null;
/** Workers of the user's that are being told to begin. */
let begun = [];
/** The cancel, or the call after one, that is being seen to: a later one takes its place. */
let wanted = 0;
let interrupted = false;
/** Called when the main thread has paused. */
let paused = () => {};

/** A connection to the main thread's inspector. */
function connected() {
  inspector ??= Inspector.open(url, (method, { sessionId }) => {
    if (method === 'Debugger.paused') paused();
    // A Worker of the user's begins only when a debugger lets it, or after half a second.
    if (method === 'Target.attachedToTarget') {
      connected().then((it) => begun.push(it.post('Runtime.runIfWaitingForDebugger', {}, sessionId)));
    }
  }).then(
    (it) => {
      it.closed.then(() => (inspector = null));
      it.attached = it.post('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: true });
      return it;
    },
    (error) => {
      inspector = null;
      throw error;
    },
  );
  return inspector;
}

async function interrupt(patience) {
  wanted += 1;
  const mine = wanted;
  const over = () => mine !== wanted || Atomics.load(words, ANSWER) === 1;
  for (let first = true; ; first = false) {
    await sleep(first ? patience : PATIENCE);
    if (over()) return;
    const debug = await connected();
    // From here on the main thread begins nothing that must not be terminated; what it has begun may take its time.
    Atomics.store(words, WISH, 1);
    try {
      await sleep(HEED);
      for (let tries = 0; Atomics.load(words, SHIELD) === 1 && tries < TRIES; tries += 1) await sleep(AGAIN);
      if (Atomics.load(words, SHIELD) === 0 && !over()) {
        Atomics.store(words, KILLED, 1);
        // The answer comes when it is done. A thread that has ended its work meanwhile does it with the next.
        const done = await Promise.race([debug.post('Runtime.terminateExecution'), sleep(LONGEST)]);
        if (done === undefined && !over()) await terminateAgain(debug);
      }
    } finally {
      granted();
    }
    wake.call();
  }
}

/**
 * A termination may be lost: a function of Deno's that was called just then takes it for its own failure, and the code
 * goes on. V8 then refuses another one, for the first has never ended. But code that is paused can be told to go on so.
 */
async function terminateAgain(debug) {
  const pause = new Promise((resolve) => (paused = resolve));
  debug.post('Debugger.enable');
  debug.post('Debugger.pause');
  await Promise.race([pause, sleep(LONGEST)]);
  debug.post('Debugger.resume', { terminateOnResume: true });
  await Promise.race([debug.post('Debugger.disable'), sleep(LONGEST)]);
}

function granted() {
  Atomics.store(words, WISH, 0);
  Atomics.notify(words, WISH);
}

async function pass(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const sent = Number(await writeLater(writer, bytes.subarray(at), BigInt(bytes.length - at)));
    if (sent > 0) at += sent;
  }
}

/** Fills the bytes from the socket. */
async function fill(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const got = Number(await readLater(fd, bytes.subarray(at), BigInt(bytes.length - at)));
    if (got === 0) leave(0);
    if (got > 0) at += got;
    else if ((await untilReadable(fd)) < 0) leave(0);
  }
}

/**
 * Deno serves a new connection only when its main thread is not busy: so there is one before the first call begins, or
 * a loop in that could not be interrupted.
 */
async function prepared() {
  const it = await connected().catch(() => null);
  await Promise.race([it?.attached, sleep(LONGEST)]);
}

async function watch() {
  const ready = prepared();
  const first = new Uint8Array(HEADER);
  for (;;) {
    await fill(first);
    const header = readHeader(first);
    if (header === null) leave(0);
    const frame = new Uint8Array(HEADER + header.length);
    frame.set(first);
    await fill(frame.subarray(HEADER));
    if (header.kind !== RUN && header.kind !== CANCEL) continue;
    Atomics.store(words, ANSWER, 0);
    // It may not have begun yet: it waits behind what an earlier call left behind.
    if (header.kind === CANCEL) Atomics.store(words, CANCELLED, mark(header.call));
    await ready;
    await pass(frame.subarray(0, PIPE));
    wake.call();
    if (header.kind === CANCEL) {
      interrupted = true;
      interrupt(PATIENCE).catch(() => {});
    } else if (interrupted) {
      interrupt(CLEAR).catch(() => {});
    }
    // The main thread takes it while it comes: so it is woken before, and interrupted if it does not wake.
    await pass(frame.subarray(PIPE));
  }
}

self.onmessage = async ({ data }) => {
  if (data.release) {
    // With a connection the program's end would wait for us. But Workers that it made already are not left waiting.
    const it = await inspector?.catch(() => null);
    // An answer comes behind the news of them.
    await it?.post('Runtime.getHeapUsage');
    await Promise.all(begun);
    it?.close();
    return;
  }
  ({ fd, writer, words, url } = data);
  wake = new Deno.UnsafeFnPointer(Deno.UnsafePointer.create(data.wake), { parameters: [], result: 'void', nonblocking: true });
  watch();
};
