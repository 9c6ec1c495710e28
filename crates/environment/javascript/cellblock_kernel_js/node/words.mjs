// The words of memory that the main thread and the watcher share: see port.mjs.

/** The main thread is within what must not be terminated. */
export const SHIELD = 0;
/** The watcher is about to terminate. */
export const WISH = 1;
/** The main thread has heard the last message. */
export const ANSWER = 2;
