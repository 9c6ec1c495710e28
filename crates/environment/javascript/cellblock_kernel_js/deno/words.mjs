// A word of the memory that the main thread and the watcher share, besides those of node/words.mjs.

/** The watcher has terminated what ran, and the main thread has not yet been woken since. */
export const KILLED = 3;
