// Begins the watcher's thread (watcher.mjs), and has it connect to the inspector, before anything else is loaded.
//
// What must stay true:
// - This is the first module of the kernel's that does anything. To make a Worker costs fifteen milliseconds in which
//   this thread only waits; but then the Worker loads its modules and connects while this one loads Node's, which take
//   longer. So nothing of Node's is loaded before, and none of the modules imported here or of the watcher's needs any:
//   a module `node:…` that is imported statically is loaded before the first line of any module runs.
// - The Worker is made before the first inspector session: with one, each new Worker waits for a debugger for half a
//   second, unless one answers (watcher.mjs does, for the user's Workers).

import { WORDS } from '../node/words.mjs';
import { leave, own, pipe } from './system.mjs';

const { queueMicrotask: soon } = globalThis;

/** The socket: the number behind `--fd`. */
export const fd = Number(Deno.args[Deno.args.indexOf('--fd') + 1]);
own(fd);
const [reader, writer] = pipe();
/** What the watcher writes calls and cancels to. */
export { reader };
/** The words of memory that both threads share. */
export const words = new Int32Array(new SharedArrayBuffer(4 * WORDS));

export const worker = new Worker(new URL('./watcher.mjs', import.meta.url), { type: 'module', name: 'cellblock' });
worker.onerror = (event) => {
  event.preventDefault();
  leave(70);
};

let woken;
/** Has this called, in a microtask, when the watcher has written something. It does so when it was told that we serve. */
export const whenWoken = (call) => (woken = call);
const wake = Deno.UnsafeCallback.threadSafe({ parameters: [], result: 'void' }, () => soon(() => woken()));
// The Worker is what keeps the event loop going; a program's end must not wait for this.
wake.unref();

const url = process.getBuiltinModule('inspector').url();
worker.postMessage({ fd, writer, words, url, wake: Deno.UnsafePointer.value(wake.pointer) });
