// Evaluates code in the global scope as a REPL does, in Deno: see node/engine.mjs for why it is the inspector.
//
// What must stay true:
// - No code of the user's runs while a message is dispatched: Deno then serves no other session, so nothing could
//   interrupt it, and a session used from within it ends the process. So every text begins with an `await`, which puts
//   all of it into a later microtask; `stacks.mjs` takes that off the columns again.
// - No answer hands on to the kernel at once: answers come in a callback of `nextTick`, where a termination would end
//   the process. They go on in a microtask.
// - The promise of a text lives as long as it has not settled. If it were collected, the inspector would say so in the
//   midst of the collection, the session's callback would run there, and V8 ends the process. So each is held, until
//   its answer comes; that of a call that was interrupted for good.
// - The program that ends this process is evaluated without a session, which would keep its event loop from being
//   empty: the text's own promise tells that it has settled, and nobody asks for its value.

import { Inspected } from '../inspected.mjs';
import { apply, match, slice, startsWith, uncurried } from '../safe.mjs';
import { PREFIX, named } from './stacks.mjs';

const { setPromiseHooks } = Deno[Deno.internal].core;
const hold = uncurried(Set.prototype.add);
const drop = uncurried(Set.prototype.delete);
const { then } = Promise.prototype;
// Not called by the name `eval`, so that it works in the global scope.
const { queueMicrotask: soon, eval: evaluate } = globalThis;
// Each comment can be read in one way only: else a line of many slashes would be tried for ever.
const STRICT = /^(?:\s|\/\/.*(?:[\n\r\u2028\u2029]|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)*(['"])use strict\1/;

export class Engine extends Inspected {
  /** `terminated`: whether a termination has just been, and who wished it is still to be heard. */
  constructor(terminated) {
    super();
    this.terminated = terminated;
    this.last = false;
    this.held = new Set();
    this.making = false;
    // It stays, since Deno takes none away again; it costs an `await` thirty nanoseconds. The first promise that a text
    // makes is its own; code with a syntax error makes none.
    setPromiseHooks((promise) => {
      if (!this.making) return;
      this.making = false;
      this.made = promise;
    });
    this.names = [];
  }

  evaluate(source, name, owner, settled) {
    if (this.session === null) this.connect();
    let text = source;
    // Only the very first characters of a script may be a line for the shell.
    if (startsWith(text, '#!')) text = `//${slice(text, 2)}`;
    const prefix = match(STRICT, text) === null ? PREFIX : `'use strict';${PREFIX}`;
    const expression = `${prefix}${text}\n//# sourceURL=${named(name, prefix.length, owner)}`;
    this.made = null;
    this.making = true;
    const last = this.last;
    this.post('Runtime.evaluate', { expression, replMode: true, objectGroup: 'call' }, (error, answer) => {
      // The promise tells, and of what was not compiled there is none.
      if (last && promise !== null) return;
      drop(this.held, promise);
      // V8 may tell of it as of an exception. Who wished it ends the call.
      const thrown = answer?.exceptionDetails;
      if (thrown !== undefined && (thrown.exception ?? answer.result).subtype === 'null' && this.terminated()) return;
      soon(() => settled(error ? { lost: true } : this.ended(answer, prefix.length)));
    });
    this.making = false;
    const promise = this.made;
    if (promise === null) return;
    hold(this.held, promise);
    if (!this.last) return;
    apply(then, promise, [() => settled({ value: undefined }), (thrown) => settled({ thrown, line: 0, column: 0 })]);
    this.close();
  }

  /** Asks for the names of `let`, `const` and `class`: the answer needs a turn. */
  ready() {
    return new Promise((settle) => {
      this.post('Runtime.globalLexicalScopeNames', {}, (error, answer) => {
        if (!error) ({ names: this.names } = answer);
        settle();
      });
    });
  }

  /** What a name of the lexical scope stands for. */
  lookup(name) {
    try {
      return { value: evaluate(name) };
    } catch {
      return null;
    }
  }

  /** Nothing more is to be evaluated: Workers begin at once now, and the program's end waits for no session. */
  close() {
    this.session?.disconnect();
    this.session = null;
  }

  ended({ exceptionDetails: thrown, result }, shift) {
    let ended;
    if (thrown === undefined) {
      ended = { value: this.take(result) };
    } else {
      // Of code that could not be compiled the place is in its script, and the stack in who asked for it.
      const above = thrown.stackTrace?.callFrames[0];
      const early = thrown.scriptId !== undefined && above?.scriptId !== thrown.scriptId;
      const { lineNumber: line, columnNumber: column } = thrown;
      ended = {
        thrown: this.take(thrown.exception ?? result),
        line: early ? line + 1 : 0,
        column: early ? column + 1 - (line === 0 ? shift : 0) : 0,
      };
    }
    this.post('Runtime.releaseObjectGroup', { objectGroup: 'call' }, () => {});
    return ended;
  }
}
