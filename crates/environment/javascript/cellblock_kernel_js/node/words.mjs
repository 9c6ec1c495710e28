// The words of memory that the main thread and the watcher share: see port.mjs.

/** The main thread is within what must not be terminated. */
export const SHIELD = 0;
/** The watcher is about to terminate. */
export const WISH = 1;
/** The main thread has heard the last message. */
export const ANSWER = 2;
/** Who reads the socket: nobody at the moment, the main thread, or the watcher for good. */
export const READER = 4;
export const NOBODY = 0;
export const MAIN = 1;
export const WATCHER = 2;
/** There was an interrupt. */
export const INTERRUPTED = 5;
/** The call that was cancelled last, by [mark]. */
export const CANCELLED = 6;
/** How many words there are. Deno's own one is between these (deno/words.mjs). */
export const WORDS = 7;

/** A word that stands for a call: the part of its id that is random. */
export const mark = (call) => call[0] | (call[1] << 8) | (call[2] << 16) | (call[3] << 24);
