// Types are checked, and TypeScript is made JavaScript, before a call begins.
//
//   const ts = new TypeScript({ runtime: 'node', libraries: '/node_modules' })
//   const { diagnostics, more, javascript, map } = await ts.prepare(code, { number: 3, cwd: '/mnt/workspace' })
//   ts.commit(3)          the code was begun: later calls see what it declares
//
// What must stay true: nothing is written to the disk and no process runs until the first call of TypeScript; the
// compiler's process ends `idle` milliseconds after the last check (a minute, if nothing else is said), which gives its
// memory back, and all it knew is told to the next one; a call that was not begun declares nothing; and
// code that could not be checked is said to be so, never passed as right.
import { existsSync } from 'node:fs';

import { Compiler } from './compiler.mjs';
import { cut } from './diagnostics.mjs';
import { Scope } from './scope.mjs';
import { local } from './settings.mjs';

export { printed } from './diagnostics.mjs';

const IDLE = 60_000;
/** Milliseconds after which a check that another one waits for is given up. */
const PATIENCE = 5_000;

/** Where an environment has Deno's own types. */
function denoTypes(libraries) {
  return [`${libraries}/../deno.d.ts`, '/opt/cellblock/env/lib/deno.d.ts'].find(existsSync);
}

export class TypeScript {
  #compiler;
  #options;
  /** How often the compiler was closed from outside. */
  #closed = 0;
  #scope;
  #drafts = new Map();
  #notes = [];
  #turn = Promise.resolve();

  /**
   * `runtime`: 'node' or 'deno'. `libraries`: the `node_modules` that has typescript and esbuild. `idle`: milliseconds
   * after which the compiler's process is ended. `denoLibrary`: the file of Deno's own types, by
   * default the environment's. `resolves(name, cwd)`: whether the runtime would find a package that TypeScript does not;
   * `lives(name)`: whether a global has that name. `furthest`: how many earlier calls a check has at most.
   */
  constructor({ runtime = 'node', libraries, idle = IDLE, denoLibrary = denoTypes(libraries), resolves, lives, memory, furthest }) {
    this.#scope = new Scope(local(runtime), furthest);
    this.#options = { runtime, libraries, idle, denoLibrary, resolves, lives, memory, taken: new Set() };
    this.#compiler = new Compiler(this.#options);
  }

  /**
   * Checks and translates a call. Gives `{ diagnostics, more, javascript, map, unavailable }`: `map` is null where
   * positions are those of the code; `javascript` is null where the code cannot be translated (a syntax error);
   * `shifted`: with `object`, the code was an object and not a block, and what runs has a `(` before it;
   * `unavailable` is a sentence if the code could not be checked, which then is its only diagnostic.
   */
  prepare(code, { number, cwd, object = false }) {
    return this.#inTurn(async (compiler) => {
      const text = code.replace(/^\ufeff/, ' ');
      try {
        if (!compiler) throw new Error('the compiler was closed');
        await this.#readNotes(compiler, cwd);
        const { draft, diagnostics, ...translation } = await compiler.prepare(text, this.#scope, { number, cwd, object });
        if (draft) this.#remember(number, draft);
        return { ...translation, ...cut(diagnostics), unavailable: null };
      } catch (error) {
        const unavailable = `types could not be checked: ${error.message}`;
        const place = { line: 1, column: 1, endLine: 1, endColumn: 1, length: 0 };
        const diagnostics = [{ ...place, code: 0, category: 'error', text: unavailable, related: [] }];
        const translation = await compiler?.unchecked(text, number).catch(() => undefined);
        return { diagnostics, more: 0, javascript: null, map: null, ...translation, unavailable };
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
    return this.#inTurn((compiler) => compiler?.warm(cwd)).catch(() => {});
  }

  /** Nothing is declared any more. */
  forget() {
    this.#scope.clear();
    this.#drafts.clear();
    this.#notes = [];
  }

  /** Ends the compiler's process, and gives up a check that is under way. It comes back if it is needed. */
  close() {
    this.#closed += 1;
    this.#turn = Promise.resolve();
    this.#renew();
  }

  /** The compiler's process, for those who measure. */
  get pid() { return this.#compiler.pid; }

  #remember(number, draft) {
    // A call is begun at once or never: of several that were only checked the last few can still be.
    if (this.#drafts.size > 8) this.#drafts.delete(this.#drafts.keys().next().value);
    this.#drafts.set(number, draft);
  }

  #renew() {
    this.#compiler.close();
    this.#compiler = new Compiler(this.#options);
  }

  async #readNotes(compiler, here) {
    while (this.#notes.length > 0) {
      const { text, number, cwd } = this.#notes[0];
      const draft = await compiler.read(text, this.#scope, { number, cwd: cwd ?? here });
      this.#notes.shift();
      if (draft) this.#scope.add(draft);
    }
  }

  // One at a time: the process has one state of the session. The kernel asks for the next check while one is under way
  // only if it has given that one up, and one that was interrupted in the middle may never come to its end.
  #inTurn(work) {
    const before = this.#turn;
    const closed = this.#closed;
    let waited;
    const patience = new Promise((resolve) => { waited = setTimeout(() => resolve(true), PATIENCE); });
    const done = Promise.race([before, patience]).then((late) => {
      clearTimeout(waited);
      if (late === true) this.#renew();
      return work(closed === this.#closed ? this.#compiler : undefined);
    });
    this.#turn = done.then(() => {}, () => {});
    return done;
  }
}
