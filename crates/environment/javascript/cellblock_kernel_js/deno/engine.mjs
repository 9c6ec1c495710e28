// Evaluates code in the global scope as a REPL does, in Deno: see node/engine.mjs for why it is the inspector.
//
// What must stay true:
// - No code of the user's runs while a message is dispatched: Deno then serves no other session, so nothing could
//   interrupt it, and a session used from within it ends the process. So every text begins with an `await`, which puts
//   all of it into a later microtask; `stacks.mjs` takes that off the columns again.
// - The inspector does not hear how a text ends: it would describe an error by its getters, which are code of the
//   user's. So each text has a session of its own, which is gone when the text has begun, and its promise tells the rest.
// - That promise lives as long as it has not settled. If it were collected, the inspector would say so in the midst of
//   the collection, and V8 ends the process. So each is held; that of a call that was interrupted for good.
// - Of a text that does not begin, for its syntax or for a name that is declared already, the inspector tells. Its answers
//   come in a callback of `nextTick`, where a termination would end the process: they go on in a microtask.

import { Inspected } from '../inspected.mjs';
import { apply, defineProperty, match, slice, startsWith, uncurried } from '../safe.mjs';
import { PREFIX, named } from './stacks.mjs';

const { setPromiseHooks } = Deno[Deno.internal].core;
const hold = uncurried(Set.prototype.add);
const drop = uncurried(Set.prototype.delete);
const { then } = Promise.prototype;
// Not called by the name `eval`, so that it works in the global scope.
const { queueMicrotask: soon, eval: evaluate } = globalThis;
/** Promises of texts that have not settled. */
const held = new Set();
/** Of what such a promise gives, the name that the value has. */
const VALUE = '.repl_result';
const MESSAGE = /^\w+: (.*)/;
// Each comment can be read in one way only: else a line of many slashes would be tried for ever.
const STRICT = /^(?:\s|\/\/.*(?:[\n\r\u2028\u2029]|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)*(['"])use strict\1/;

export class Engine extends Inspected {
  /** `terminated`: whether this call was just terminated, and who wished it is still to be heard. */
  constructor(terminated) {
    super();
    this.terminated = terminated;
    this.making = false;
    // It stays, since Deno takes none away again; it costs an `await` thirty nanoseconds. The first promise that a text
    // makes is its own.
    setPromiseHooks((promise) => {
      if (!this.making) return;
      this.count += 1;
      this.made ??= promise;
    });
    this.names = [];
  }

  evaluate(source, name, owner, settled) {
    this.disconnect();
    let text = source;
    // Only the very first characters of a script may be a line for the shell.
    if (startsWith(text, '#!')) text = `//${slice(text, 2)}`;
    const prefix = match(STRICT, text) === null ? PREFIX : `'use strict';${PREFIX}`;
    const expression = `${prefix}${text}\n//# sourceURL=${named(name, prefix.length, owner)}`;
    let early = null;
    const answered = (error, answer) => {
      if (!error) early = answer;
    };
    // First without anybody who waits for the answer: Deno would make an error for that one when the session ends, and
    // code may have changed how errors are made. What does not begin has done nothing, and says why when asked again.
    if (!this.begun(expression) && !this.begun(expression, answered)) {
      const told = () => soon(() => settled(early === null ? { refused: true } : this.refusal(early, prefix.length)));
      try {
        this.nameSink(told);
      } catch {
        // The global object takes no property any more. The answer comes all the same.
        this.post('Runtime.getHeapUsage', {}, told);
      }
      return;
    }
    this.disconnect();
    const promise = this.made;
    hold(held, promise);
    // Whatever the code has done to the class, `then` makes a plain promise.
    defineProperty(promise, 'constructor', { __proto__: null, value: undefined });
    const ended = (told) => {
      drop(held, promise);
      settled(told);
    };
    const failed = (thrown) => {
      // V8 may tell of a termination as of an exception. Who wished it ends the call; but one that comes late may hit the
      // call behind the cancelled one, which nobody else would end.
      if (thrown === null && this.terminated(owner)) drop(held, promise);
      else ended({ thrown, line: 0, column: 0 });
    };
    apply(then, promise, [({ [VALUE]: value }) => ended({ value }), failed]);
  }

  /** Whether the text has begun: with its own promise, and that of its first `await`. */
  begun(expression, answered) {
    this.made = null;
    this.count = 0;
    this.making = true;
    this.post('Runtime.evaluate', { expression, replMode: true, objectGroup: 'call' }, answered);
    this.making = false;
    return this.count > 1;
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

  /** Why the text did not run: what could not be compiled has its place in the script, all else in who asked for it. */
  refusal({ exceptionDetails: thrown }, shift) {
    const above = thrown.stackTrace?.callFrames[0];
    const early = thrown.scriptId !== undefined && above?.scriptId !== thrown.scriptId;
    const { lineNumber: line, columnNumber: column } = thrown;
    return {
      thrown: this.id === null ? new SyntaxError(match(MESSAGE, thrown.exception.description)?.[1]) : this.take(thrown.exception),
      line: early ? line + 1 : 0,
      column: early ? column + 1 - (line === 0 ? shift : 0) : 0,
    };
  }
}
