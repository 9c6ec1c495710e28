// The C library, for what Deno has no function for: descriptors that it did not open itself, and an end of the process
// that waits for nothing.
//
// `Deno.dlopen` of the library by its name finds the one that Deno itself is linked with. No `errno` is asked for: it
// belongs to the thread that called, and what follows a failure (poll, or the end) tells enough.

const { BigInt, BigInt64Array, Error, Int32Array, Number } = globalThis;
export const POLLIN = 1;
export const POLLOUT = 4;
const MSG_NOSIGNAL = 0x4000;
const F_SETFD = 2;
const F_SETFL = 4;
const FD_CLOEXEC = 1;
const O_CLOEXEC = 0x80000;
const RUSAGE_CHILDREN = -1;

const { symbols } = Deno.dlopen('libc.so.6', {
  read: { parameters: ['i32', 'buffer', 'usize'], result: 'isize' },
  readLater: { name: 'read', parameters: ['i32', 'buffer', 'usize'], result: 'isize', nonblocking: true },
  writeLater: { name: 'write', parameters: ['i32', 'buffer', 'usize'], result: 'isize', nonblocking: true },
  send: { parameters: ['i32', 'buffer', 'usize', 'i32'], result: 'isize' },
  poll: { parameters: ['buffer', 'u64', 'i32'], result: 'i32' },
  pollLater: { name: 'poll', parameters: ['buffer', 'u64', 'i32'], result: 'i32', nonblocking: true },
  fcntl: { parameters: ['i32', 'i32', 'i32'], result: 'i32' },
  pipe2: { parameters: ['buffer', 'i32'], result: 'i32' },
  getrusage: { parameters: ['i32', 'buffer'], result: 'i32' },
  _exit: { parameters: ['i32'], result: 'void' },
});

const { read, readLater, writeLater, send, poll, pollLater, fcntl, pipe2, getrusage, _exit } = symbols;
const size = BigInt;
export { readLater, writeLater };

/** Ends the process here and now. */
export const leave = (status) => _exit(status);

/** Makes the descriptor one that waits, and that no child inherits. */
export function own(fd) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, 0);
}

/** The reading and the writing end of a pipe. */
export function pipe() {
  const ends = new Int32Array(2);
  if (pipe2(ends, O_CLOEXEC) !== 0) throw new Error('there is no descriptor left for a pipe');
  return ends;
}

function wish(fd, events) {
  const words = new Int32Array(2);
  words[0] = fd;
  words[1] = events;
  return words;
}

/** Whether the descriptor can be read now. */
export const readable = (fd) => poll(wish(fd, POLLIN), 1n, 0) !== 0;

/** Settles when the descriptor can be read. */
export const untilReadable = (fd) => pollLater(wish(fd, POLLIN), 1n, -1);

/** Settles after so many milliseconds. `setTimeout` is Node's: it would load much of that in a thread that has none of it. */
export async function pause(milliseconds) {
  const end = performance.now() + milliseconds;
  // A signal may end one poll early.
  for (let left = milliseconds; left > 0; left = end - performance.now()) await pollLater(wish(-1, 0), 1n, Math.ceil(left));
}

/** Fills the bytes from a descriptor that has them. */
export function readWhole(fd, bytes) {
  for (let at = 0; at < bytes.length; ) {
    const got = Number(read(fd, at === 0 ? bytes : bytes.subarray(at), size(bytes.length - at)));
    if (got === 0) return false;
    // A signal, or a descriptor that was made not to wait.
    if (got < 0) poll(wish(fd, POLLIN), 1n, -1);
    else at += got;
  }
  return true;
}

/** Writes all of the bytes to the socket; false when its other end, or the socket, is gone. */
export function sendWhole(fd, bytes) {
  for (let at = 0; at < bytes.length; ) {
    const sent = Number(send(fd, at === 0 ? bytes : bytes.subarray(at), size(bytes.length - at), MSG_NOSIGNAL));
    if (sent >= 0) {
      at += sent;
      continue;
    }
    const words = wish(fd, POLLOUT);
    if (poll(words, 1n, -1) > 0 && ((words[1] >> 16) & POLLOUT) === 0) return false;
  }
  return true;
}

/** Processor time of children that have ended, seconds. */
export function childrenSeconds() {
  const usage = new BigInt64Array(18);
  if (getrusage(RUSAGE_CHILDREN, usage) !== 0) return 0;
  return Number(usage[0] + usage[2]) + Number(usage[1] + usage[3]) / 1e6;
}
