// console, Deno.stdout and Deno.stderr, process.stdout and process.stderr: everything that prints, as frames.
//
// `console` is one more of Deno's own class, so that tables, groups and the looks of values are Deno's. It keeps its
// identity. The one that Deno makes under an inspector also tells that, which keeps a thousand logged values alive.

import { STDERR, STDOUT } from '../wire.mjs';
import { defineProperty, keys } from '../safe.mjs';
import { endless, traits } from '../streams.mjs';

const { process } = globalThis;
const { Console } = Deno[Deno.internal];

export function installStreams(kernel) {
  installConsole(kernel);
  installOutput(kernel, Deno.stdout, STDOUT);
  installOutput(kernel, Deno.stderr, STDERR);
  installStream(kernel, 'stdout', STDOUT, 1);
  installStream(kernel, 'stderr', STDERR, 2);
}

function installConsole(kernel) {
  // Levels: 0 debug, 1 log and info, 2 warn, 3 error.
  const own = new Console((text, level) => kernel.print(level > 1 ? STDERR : STDOUT, text));
  for (const method of keys(own)) {
    if (typeof own[method] !== 'function') continue;
    defineProperty(console, method, { value: own[method], writable: true, configurable: true, enumerable: true });
  }
  // Its groups indent what it logs itself.
  defineProperty(console, 'indentLevel', { get: () => own.indentLevel, set: (level) => (own.indentLevel = level), configurable: true });
}

function installOutput(kernel, output, kind) {
  const writeSync = (bytes) => {
    kernel.print(kind, bytes);
    return bytes.length;
  };
  let stream;
  const methods = {
    writeSync: { value: writeSync },
    write: { value: async (bytes) => writeSync(bytes) },
    isTerminal: { value: () => false },
    writable: { get: () => (stream ??= new WritableStream({ write: (bytes) => void writeSync(bytes) })) },
  };
  for (const name of keys(methods)) defineProperty(output, name, { configurable: true, enumerable: true, ...methods[name] });
}

/** Node's streams, made when they are first asked for: their class costs more than the kernel's start. */
function installStream(kernel, name, kind, fd) {
  let stream;
  defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get: () => (stream ??= made(kernel, kind, fd)),
    set: (other) => {
      stream = other;
    },
  });
}

function made(kernel, kind, fd) {
  // A module whose loading an interrupt terminates never works again.
  const { Writable } = kernel.host.shielded(() => process.getBuiltinModule('stream'));
  const stream = new Writable({
    decodeStrings: false,
    emitClose: false,
    write(chunk, encoding, written) {
      const odd = typeof chunk === 'string' && encoding && encoding !== 'utf8' && encoding !== 'utf-8';
      kernel.print(kind, odd ? Buffer.from(chunk, encoding) : chunk);
      written();
    },
  });
  return Object.assign(stream, traits(fd), endless);
}
