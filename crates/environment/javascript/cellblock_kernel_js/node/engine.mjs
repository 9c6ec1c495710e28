// Evaluates code in the global scope as a REPL does: `const` can be declared again, `await` is allowed at the top.
//
// The means is V8's inspector in this very thread: nothing else has its `replMode` (`vm` forgets `const`, wrapping in a
// function changes what declarations mean, and rewriting them by a parser costs the parser).
//
// What must stay true:
// - The inspector does not hear how an evaluation ends: it would describe an error by its getters, which are code of the
//   user's, and a termination in one of these ends the process. So each evaluation has a session of its own, which is
//   gone when its text has begun, and its promise tells the rest. It is the first one that an evaluation makes.
// - That promise lives until it is settled. V8 holds it weakly, and tells of its end from within the garbage collection,
//   where Node then calls JavaScript: the process dies. Waiting for what never comes, or an interrupt, leaves such
//   promises.

import { promiseHooks } from 'node:v8';
import { Inspected } from '../inspected.mjs';
import { apply, defineProperty, match, uncurried } from '../safe.mjs';

const { onInit } = promiseHooks;
const { then } = Promise.prototype;
const hold = uncurried(Set.prototype.add);
const drop = uncurried(Set.prototype.delete);
/** Promises of evaluations that are not settled. */
const held = new Set();
const MESSAGE = /^\w+: (.*)/;
/** Of what such a promise gives, the name that the value has. */
const VALUE = '.repl_result';

export class Engine extends Inspected {
  take(remote) {
    // Most sessions never need it.
    if (this.id === null && remote.objectId !== undefined) this.nameSink();
    return super.take(remote);
  }

  /** The error for which a text does not run. */
  refusal(remote) {
    try {
      return this.take(remote);
    } catch {
      // The global object takes no property any more.
      return new SyntaxError(match(MESSAGE, remote.description)?.[1]);
    }
  }

  evaluate(source, name, settled) {
    const expression = `${source}\n//# sourceURL=${name}`;
    // A termination has left the last one.
    this.disconnect();
    this.connect();
    let promise;
    const stop = onInit((made) => {
      if (promise !== undefined) return;
      promise = made;
      hold(held, made);
      stop();
    });
    let early = null;
    this.post('Runtime.evaluate', { expression, replMode: true, objectGroup: 'call' }, (error, answer) => {
      // All but a syntax error, of which nothing ran, is answered by the end of the session.
      if (error) return;
      const { exceptionDetails: thrown } = answer;
      early = { thrown: this.refusal(thrown.exception), line: thrown.lineNumber + 1, column: thrown.columnNumber + 1 };
    });
    this.disconnect();
    if (promise === undefined) stop();
    if (promise === undefined || early !== null) {
      drop(held, promise);
      settled(early ?? { refused: true });
      return;
    }
    // Whatever the code has done to the class, `then` makes a plain promise.
    defineProperty(promise, 'constructor', { __proto__: null, value: undefined });
    const ended = (told) => {
      drop(held, promise);
      settled(told);
    };
    apply(then, promise, [({ [VALUE]: value }) => ended({ value }), (thrown) => ended({ thrown, line: 0, column: 0 })]);
  }

  lexicalNames() {
    let names = [];
    this.post('Runtime.globalLexicalScopeNames', {}, (error, answer) => {
      if (!error) ({ names } = answer);
    });
    return names;
  }

  /** What a name of the lexical scope stands for. */
  lookup(name) {
    let found = null;
    this.post('Runtime.evaluate', { expression: name, throwOnSideEffect: true, objectGroup: 'call' }, (error, answer) => {
      if (!error && answer.exceptionDetails === undefined) found = { value: this.take(answer.result) };
    });
    return found;
  }
}
