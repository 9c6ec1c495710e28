// What process.stdout and process.stderr have in both runtimes beside the methods of a stream.

import { apply } from './safe.mjs';

const { process } = globalThis;
const { nextTick } = process;
const soon = (call) => apply(nextTick, process, [call]);

/** What tells that a stream is the process's own, and a pipe. */
export const traits = (fd) => ({ fd, isTTY: false, _type: 'pipe', _isStdio: true });

/** A stream that is the process's own does not end before it. */
export const endless = {
  end(chunk, encoding, ended) {
    const done = [chunk, encoding, ended].find((each) => typeof each === 'function');
    if (chunk != null && typeof chunk !== 'function') this.write(chunk, typeof encoding === 'string' ? encoding : undefined);
    soon(() => {
      done?.();
      this.emit('finish');
    });
    return this;
  },
  destroy(error) {
    if (error) soon(() => this.emit('error', error));
    return this;
  },
};
