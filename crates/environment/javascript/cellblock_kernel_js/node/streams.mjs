// process.stdout, process.stderr and console.
//
// Both streams are made when they are first asked for: to print, `console` needs them, and many calls print nothing.
// What is written goes out at once, as it does with a file or a terminal, and not through the machinery of Writable:
// an interrupt within that would leave a stream that thinks it is writing for ever. `console` keeps its identity, but its methods
// become those of a plain Console: Node's own also tell the inspector, which keeps what was logged.

import { STDERR, STDOUT } from '../wire.mjs';
import { Bytes, defineProperty } from '../safe.mjs';
import { endless, traits } from '../streams.mjs';

const { process } = globalThis;
const { from } = Buffer;
const { isView } = ArrayBuffer;
const nextTick = process.nextTick.bind(process);
const getBuiltinModule = process.getBuiltinModule.bind(process);
/** The class of both streams, once there is one: its module is not needed to start. */
let Output = null;
/** The streams that are ours, by name. */
const made = { __proto__: null };

const METHODS = [
  'log', 'warn', 'dir', 'time', 'timeEnd', 'timeLog', 'trace', 'assert', 'clear', 'count', 'countReset', 'group',
  'groupCollapsed', 'groupEnd', 'table', 'debug', 'info', 'dirxml', 'error',
];

function outputClass() {
  const { Writable } = getBuiltinModule('stream');
  class Output extends Writable {
    constructor(kernel, kind, fd) {
      super({ decodeStrings: false, autoDestroy: false, emitClose: false });
      Object.assign(this, traits(fd));
      defineProperty(this, 'print', { value: (chunk) => kernel.print(kind, chunk) });
    }

    write(chunk, encoding, written) {
      if (typeof encoding === 'function') {
        written = encoding;
        encoding = undefined;
      }
      if (typeof chunk === 'string') {
        const plain = encoding == null || encoding === 'utf8' || encoding === 'utf-8' || encoding === 'buffer';
        this.print(plain ? chunk : from(chunk, encoding));
      } else if (isView(chunk)) {
        this.print(new Bytes(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      } else {
        // It throws, in Node's own words.
        return super.write(chunk, encoding, written);
      }
      if (typeof written === 'function') nextTick(written, null);
      return true;
    }

    // A pipe that somebody made by `stream.Writable`'s own means.
    _write(chunk, encoding, written) {
      this.write(chunk, encoding);
      written();
    }
  }
  Object.assign(Output.prototype, endless);
  return Output;
}

export function installStreams(kernel) {
  for (const [name, kind, fd] of [['stdout', STDOUT, 1], ['stderr', STDERR, 2]]) {
    let stream;
    defineProperty(process, name, {
      configurable: true,
      enumerable: true,
      get: () => {
        Output ??= outputClass();
        stream ??= made[name] = new Output(kernel, kind, fd);
        return stream;
      },
      set: (other) => {
        stream = other;
      },
    });
  }
  installConsole();
}

/** What `console` writes to: whatever stream the process has at that moment. */
function sink(name) {
  return {
    // `console` wants to be told of errors, which ours have not. Its callbacks would wait until the code lets others run.
    write: (text, written) => {
      const stream = process[name];
      return stream === made[name] ? stream.write(text) : stream.write(text, written);
    },
    on() {},
    once() {},
    removeListener() {},
    listenerCount: () => 0,
    get isTTY() {
      return process[name].isTTY;
    },
    getColorDepth: () => process[name].getColorDepth?.() ?? 1,
  };
}

function installConsole() {
  const { console } = globalThis;
  const plain = new console.Console({ stdout: sink('stdout'), stderr: sink('stderr') });
  for (const method of METHODS) {
    defineProperty(console, method, { value: plain[method], writable: true, configurable: true, enumerable: true });
  }
}
