// Evaluates code in the global scope as a REPL does: `const` can be declared again, `await` is allowed at the top.
//
// The means is V8's inspector in this very thread: nothing else has its `replMode` (`vm` forgets `const`, wrapping in a
// function changes what declarations mean, and rewriting them by a parser costs the parser).
//
// What must stay true: the promise of an evaluation lives until it is settled. V8 holds it weakly, and tells us of its
// end from within the garbage collection, where Node then calls JavaScript: the process dies. Waiting for what never
// comes, or an interrupt, leaves such promises. It is the first one that an evaluation makes.

import { promiseHooks } from 'node:v8';
import { Inspected } from '../inspected.mjs';
import { uncurried } from '../safe.mjs';

const { onInit } = promiseHooks;
const hold = uncurried(Set.prototype.add);
const drop = uncurried(Set.prototype.delete);
/** Promises of evaluations that are not settled. */
const held = new Set();

export class Engine extends Inspected {
  evaluate(source, name, settled) {
    const expression = `${source}\n//# sourceURL=${name}`;
    let posting = true;
    let promise;
    const stop = onInit((made) => {
      if (promise !== undefined) return;
      promise = made;
      hold(held, made);
      stop();
    });
    this.post('Runtime.evaluate', { expression, replMode: true, objectGroup: 'call' }, (error, answer) => {
      // It was terminated, and who wished that ends the call.
      if (error) return;
      drop(held, promise);
      const { exceptionDetails: thrown, result } = answer;
      if (thrown === undefined) {
        settled({ value: this.take(result) });
      } else {
        // What is thrown at once is a syntax error: nothing ran. All else comes by a promise.
        const early = posting;
        settled({
          thrown: this.take(thrown.exception ?? result),
          line: early ? thrown.lineNumber + 1 : 0,
          column: early ? thrown.columnNumber + 1 : 0,
        });
      }
      this.post('Runtime.releaseObjectGroup', { objectGroup: 'call' }, () => {});
    });
    posting = false;
    // Code that has a syntax error made none.
    if (promise === undefined) stop();
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
