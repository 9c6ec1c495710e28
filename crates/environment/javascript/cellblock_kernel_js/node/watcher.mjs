// The thread that reads the socket, and interrupts the main thread: see port.mjs.

import inspector from 'node:inspector';
import net from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { CANCEL, HEADER, RUN, readHeader } from '../wire.mjs';
import { ANSWER, CANCELLED, INTERRUPTED, NOBODY, READER, SHIELD, WATCHER, WISH, mark } from './words.mjs';

const { fd, words } = workerData;
/** Milliseconds in which a main thread that is not busy answers. */
const PATIENCE = 40;
const AGAIN = 1;
/** Milliseconds that a call after an interrupted one waits for the main thread. */
const CLEAR = 200;
/** Milliseconds after which a termination that has not come counts as lost. */
const LOST = 150;

function leave() {
  process.kill(process.pid, 'SIGKILL');
}

/** The call that was last posted since there was an interrupt. */
let latest = null;

function cancel(call) {
  // It may not have begun yet: it waits behind what an earlier call left behind.
  Atomics.store(words, CANCELLED, mark(call));
  Atomics.store(words, INTERRUPTED, 1);
  // The call has begun, or ends now: whoever asks for it next is this.
  latest = null;
  Atomics.store(words, ANSWER, 0);
  ask(call);
}

function ask(call) {
  parentPort.postMessage({ kind: CANCEL, call });
  Atomics.wait(words, ANSWER, 0, PATIENCE);
  // It may be the hearing of a message that is terminated. Then messages wait until another comes, which may meet the
  // same end.
  terminate(() => ask(call));
}

function run(call, payload) {
  Atomics.store(words, ANSWER, 0);
  const message = { kind: RUN, call, payload };
  if (Atomics.load(words, INTERRUPTED) === 0) {
    parentPort.postMessage(message, [payload.buffer]);
    return;
  }
  parentPort.postMessage(message);
  latest = call;
  setTimeout(clear, CLEAR, message);
}

/**
 * What an interrupted call left behind has no right to keep the next one from beginning. And it may be the hearing of
 * the next one that its termination hits.
 */
function clear(message) {
  if (latest !== message.call) return;
  terminate(() => {
    parentPort.postMessage(message);
    setTimeout(clear, PATIENCE, message);
  });
}

/** Whether a termination is under way. */
let posted = false;

/**
 * Terminates what the main thread runs, unless it has heard the last message.
 *
 * One at a time: the end of the first would take back the wish while the second is still to come, and that would hit
 * the main thread within its shield.
 */
function terminate(then) {
  if (posted) {
    setTimeout(terminate, AGAIN, then);
    return;
  }
  if (Atomics.load(words, ANSWER) === 1) {
    granted();
    return;
  }
  Atomics.store(words, WISH, 1);
  if (Atomics.load(words, SHIELD) === 1) {
    // The wish stays: code that does nothing but print is hardly ever met outside its shield.
    setTimeout(terminate, AGAIN, then);
    return;
  }
  // It may have been heard between the two.
  if (Atomics.load(words, ANSWER) === 1) {
    granted();
    return;
  }
  // Connected only for this: a session that stays makes the process wait at its end.
  posted = true;
  const session = new inspector.Session();
  session.connectToMainThread();
  const insisting = setInterval(insist, LOST, session);
  session.post('Runtime.terminateExecution', () => {
    clearInterval(insisting);
    session.disconnect();
    posted = false;
    granted();
    then();
  });
}

/**
 * A termination may be lost: where V8 itself calls a getter, to describe an error for the inspector, it takes it for the
 * getter's failure and goes on. It refuses another one until what it was called for has ended. But code that is paused
 * can be told to go on so, and where it is paused tells whether it may be.
 */
function insist(session) {
  // The main thread may wait before its shield for what will not come.
  granted();
  session.removeAllListeners('Debugger.paused');
  session.on('Debugger.paused', () => {
    const terminateOnResume = Atomics.load(words, SHIELD) === 0;
    session.post('Debugger.resume', { terminateOnResume });
  });
  session.post('Debugger.enable');
  session.post('Debugger.pause');
}

function granted() {
  Atomics.store(words, WISH, 0);
  Atomics.notify(words, WISH);
}

let parts = [];
let size = 0;
let header = null;

function take(length) {
  const all = parts.length === 1 ? parts[0] : Buffer.concat(parts);
  parts = all.length > length ? [all.subarray(length)] : [];
  size -= length;
  return new Uint8Array(all.subarray(0, length));
}

function received(chunk) {
  parts.push(chunk);
  size += chunk.length;
  for (;;) {
    if (header === null) {
      if (size < HEADER) return;
      header = readHeader(take(HEADER));
      if (header === null) leave();
    }
    if (size < header.length) return;
    const payload = take(header.length);
    const { kind, call } = header;
    header = null;
    if (kind === CANCEL) cancel(call);
    else if (kind === RUN) run(call, payload);
  }
}

/** From now on this thread alone reads. The main thread is never long within a look of its own. */
function takeOver() {
  for (;;) {
    const reader = Atomics.compareExchange(words, READER, NOBODY, WATCHER);
    if (reader === NOBODY) return;
    Atomics.wait(words, READER, reader);
  }
}

takeOver();
const socket = new net.Socket({ fd, readable: true, writable: false });
socket.on('data', received);
socket.on('end', leave);
socket.on('close', leave);
socket.on('error', leave);
