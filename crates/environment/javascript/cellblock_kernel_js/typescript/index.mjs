// Types are checked, and TypeScript is made JavaScript, before a call begins.
//
//   const ts = new TypeScript({ runtime: 'node', libraries: '/node_modules' })
//   const { diagnostics, more, javascript, map } = await ts.prepare(code, { number: 3, cwd: '/mnt/workspace' })
//   ts.commit(3)          the code was begun: later calls see what it declares
//
// What must stay true: nothing is written to the disk and no process runs until the first call of TypeScript; the
// compiler's process ends `idle` milliseconds after the last check, and all it knew is told to the next one; a call
// that was not begun declares nothing; and code that could not be checked is said to be so, never passed as right.
import { Compiler } from './compiler.mjs';
import { cut } from './diagnostics.mjs';
import { Scope } from './scope.mjs';
import { local } from './settings.mjs';

export { printed } from './diagnostics.mjs';

const IDLE = 60_000;

export class TypeScript {
  #compiler;
  #scope;
  #drafts = new Map();
  #notes = [];
  #turn = Promise.resolve();

  /**
   * `runtime`: 'node' or 'deno'. `libraries`: the `node_modules` that has typescript and esbuild. `idle`: milliseconds
   * after which the compiler's process is ended. `denoLibrary`: the file of Deno's own types. `resolves(name, cwd)`:
   * whether the runtime would find a package that TypeScript does not.
   */
  constructor({ runtime = 'node', libraries, idle = IDLE, denoLibrary, resolves, memory }) {
    this.#scope = new Scope(local(runtime));
    this.#compiler = new Compiler({ runtime, libraries, idle, denoLibrary, resolves, memory });
  }

  /**
   * Checks and translates a call. Gives `{ diagnostics, more, javascript, map, unavailable }`: `map` is null where
   * positions are those of the code; `javascript` is null where the code cannot be translated (a syntax error);
   * `unavailable` is a sentence if the code could not be checked, which then is its only diagnostic.
   */
  prepare(code, { number, cwd }) {
    return this.#inTurn(async () => {
      const text = code.replace(/^\ufeff/, ' ');
      try {
        await this.#readNotes(cwd);
        const { draft, diagnostics, ...translation } = await this.#compiler.prepare(text, this.#scope, { number, cwd });
        if (draft) this.#remember(number, draft);
        return { ...translation, ...cut(diagnostics), unavailable: null };
      } catch (error) {
        const unavailable = `types could not be checked: ${error.message}`;
        const place = { line: 1, column: 1, endLine: 1, endColumn: 1, length: 0 };
        const diagnostics = [{ ...place, code: 0, category: 'error', text: unavailable, related: [] }];
        const translation = await this.#compiler.unchecked(text, number).catch(() => ({ javascript: null, map: null }));
        return { diagnostics, more: 0, ...translation, unavailable };
      }
    });
  }

  /** The call was begun: its declarations are in scope of later ones. */
  commit(number) {
    const draft = this.#drafts.get(number);
    this.#drafts.clear();
    if (draft) this.#scope.add(draft);
  }

  /** A call of JavaScript was begun: its names are in scope of later calls, with the types that TypeScript infers. */
  note(code, number, cwd) {
    this.#notes.push({ text: code.replace(/^\ufeff/, ' '), number, cwd });
  }

  /** Starts the compiler's process if there is none, so that the first check need not wait for it. */
  warm(cwd) {
    return this.#inTurn(() => this.#compiler.warm(cwd)).catch(() => {});
  }

  /** Nothing is declared any more. */
  forget() {
    this.#scope.clear();
    this.#drafts.clear();
    this.#notes = [];
  }

  /** Ends the compiler's process. It comes back if it is needed. */
  close() {
    this.#compiler.close();
  }

  /** The compiler's process, for those who measure. */
  get pid() { return this.#compiler.pid; }

  #remember(number, draft) {
    // A call is begun at once or never: of several that were only checked the last few can still be.
    if (this.#drafts.size > 8) this.#drafts.delete(this.#drafts.keys().next().value);
    this.#drafts.set(number, draft);
  }

  async #readNotes(here) {
    while (this.#notes.length > 0) {
      const { text, number, cwd } = this.#notes[0];
      const draft = await this.#compiler.read(text, this.#scope, { number, cwd: cwd ?? here });
      this.#notes.shift();
      if (draft) this.#scope.add(draft);
    }
  }

  // One at a time: the process has one state of the session.
  #inTurn(work) {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}
