// From the text of a call to its evaluation: what is rewritten, what is loaded first, and what tracebacks remember.
//
// The parser is loaded for code with `import`, `export` or `const` in it, for what may change a constant of an earlier
// call, for code that declares a name anew in another form, which V8 refuses before anything of it ran, and for a cell
// that may be an object. All other code is evaluated as it is.

import { redeclared, withConstants } from './declarations.mjs';
import { Names, charCode, defineProperty, endsWith, getOwnPropertyDescriptor, hasOwn, includes, keys, match, numberText, own, test, toText, trimEnd } from './safe.mjs';

const { Promise, SyntaxError } = globalThis;
/** Texts of cells kept for tracebacks, characters; the oldest go first. */
const TEXTS = 4 << 20;
const MODULE = /\b(?:import|export)\b/;
const CONSTANT = /\bconst\b/;
/** Without any of these a text changes nothing that has a name. */
const CHANGE = /[^=!<>]=[^=>]|[-+<>]=|\+\+|--|\b(?:for|let|var|class|function|import)\b/;
const ODD = /[\s'"]/;
/** A text that begins with a brace. Each comment before it can be read in one way only, so that none is tried for ever. */
const BRACE = /^(?:\s|\/\/.*[\n\r\u2028\u2029]|\/\*(?:[^*]|\*(?!\/))*\*\/)*\{/;
const AGAIN = /^Identifier '(.+)' has already been declared$/;
/** Holds namespaces while names are declared from them. */
const GLOBAL = '__cellblock_imports';
/** What the namespace of a CommonJS module has beside `default`, in both runtimes. */
const EXPORTS = 'module.exports';
/** Not written where it is imported, for Deno would read it and all that it imports before the kernel begins. */
const TYPING = './typing.mjs';

/** An error that has its place in the code by what it says, and not by its stack. */
export class Placed {
  constructor(error, line, column) {
    this.error = error;
    this.line = line;
    this.column = column;
  }
}

export class Program {
  constructor(kernel) {
    this.kernel = kernel;
    /** What code is called in tracebacks, and its text. */
    this.texts = new Names();
    this.size = 0;
    /** What is a constant, by its latest declaration. */
    this.constants = new Names();
    /** Names that V8 is told in another way. */
    this.odd = new Names();
    /** Source maps of what runs as another text than was sent. */
    this.maps = new Names();
    /** The checker of TypeScript, once there was a call in it; and until then, what was called. */
    this.typescript = null;
    this.history = [];
    this.known = 0;
    this.calls = 0;
  }

  /** Prepares and begins the call; whatever fails is its outcome. */
  start(call) {
    const { kernel } = this;
    const { request } = call;
    const typed = request.language === 'typescript';
    call.name = request.filename || `cell-${call.number}.${typed ? 'ts' : 'js'}`;
    call.url = this.urlOf(call.name);
    this.remember(call.name, request.code);
    call.serial = this.calls += 1;
    if (!typed && this.typescript === null && this.known < TEXTS) {
      this.history[this.history.length] = { code: request.code, serial: call.serial, cwd: kernel.host.cwd() };
      this.known += request.code.length;
    }
    // As in the REPLs of Node and Deno, `{ a: 1 }` alone is an object, which the language reads as a block.
    call.object = !call.final && test(BRACE, request.code) && !endsWith(trimEnd(request.code), ';');
    if (!typed && !call.object && this.typescript === null && !test(MODULE, request.code) && !this.concerned(request.code)) {
      this.evaluate(call, request.code);
      return;
    }
    kernel.host.as(call, async () => {
      try {
        await this.prepare(call, typed);
      } catch (error) {
        kernel.settled(call, error instanceof Placed ? { thrown: error.error, line: error.line, column: error.column } : { thrown: error, line: 0, column: 0 });
      }
    });
  }

  async prepare(call, typed) {
    let { code } = call.request;
    if (typed || this.typescript !== null) {
      const typescript = await import(TYPING);
      const prepared = await typescript.prepare(this, call, typed);
      if (prepared === null) return;
      code = prepared;
    }
    if (call.object && !typed) code = await this.parenthesized(call, code);
    if (test(MODULE, code)) {
      code = await this.linked(call, code);
      if (code === null) return;
    }
    if (this.concerned(code)) code = await this.declared(code);
    if (!call.done) this.evaluate(call, code);
  }

  /** The text of a cell that is an object, in parentheses; any other as it is. */
  async parenthesized(call, code) {
    const { inParentheses, isObject } = await import('./source.mjs');
    if (!isObject(await this.kernel.host.acorn(), code)) return code;
    const { Shifted } = await import('./maps.mjs');
    this.maps.set(call.name, new Shifted());
    return inParentheses(code);
  }

  /** The text without imports, which have been done; null where the call has ended. */
  async linked(call, code) {
    let without;
    try {
      without = (await import('./source.mjs')).withoutModules(await this.kernel.host.acorn(), code);
    } catch (error) {
      if (error.loc === undefined) throw error;
      // The words may stand in a string; if not, V8 says that there are no imports, and the parser knows better.
      const { line, column } = error.loc;
      call.malformed = new Placed(new SyntaxError(error.message.replace(/ \(\d+:\d+\)$/, '')), line, column + 1);
      return code;
    }
    const namespaces = await this.load(without.imports);
    if (call.done) return null;
    if (namespaces.length > 0) await this.declare(call, without.imports, namespaces);
    return call.done ? null : without.code;
  }

  /** Whether the text may declare constants, or change one. */
  concerned(code) {
    return test(CONSTANT, code) || (this.constants.size > 0 && test(CHANGE, code));
  }

  /** The text with constants that can be declared again. */
  async declared(code) {
    try {
      const { code: rewritten, declared } = withConstants(await this.kernel.host.acorn(), code, this.constants);
      for (const [name, constant] of declared) this.noteName(name, constant);
      return rewritten;
    } catch {
      // What the parser does not understand V8 judges.
      return code;
    }
  }

  noteName(name, constant) {
    if (constant) this.constants.set(name, true);
    else this.constants.delete(name);
  }

  async load(imports) {
    const { host } = this.kernel;
    const namespaces = [];
    for (const { specifier, attributes, names, line, column } of imports) {
      let namespace;
      try {
        const loaded = await host.load(specifier, keys(attributes).length > 0 ? { with: attributes } : undefined);
        namespace = withNames(loaded, specifier, names);
      } catch (error) {
        throw new Placed(error, line, column);
      }
      namespaces[namespaces.length] = namespace;
    }
    return namespaces;
  }

  async declare(call, imports, namespaces) {
    const { host } = this.kernel;
    const { declarationsOf } = await import('./source.mjs');
    const assigned = new Names();
    for (;;) {
      globalThis[GLOBAL] = namespaces;
      const text = declarationsOf(imports, GLOBAL, assigned);
      const ended = await new Promise((settle) => host.evaluate(text, `${call.url}.imports`, call, (told) => settle(own(told))));
      delete globalThis[GLOBAL];
      if (!hasOwn(ended, 'thrown')) {
        for (const { names } of imports) for (const { local } of names) if (local !== null) this.noteName(local, true);
        return;
      }
      const again = ended.thrown instanceof SyntaxError && match(AGAIN, ended.thrown.message);
      if (!again || assigned.has(again[1])) throw ended.thrown;
      assigned.set(again[1], true);
    }
  }

  evaluate(call, code, names = null) {
    const { kernel } = this;
    call.begun = true;
    kernel.host.evaluate(code, call.url, call, (told) => {
      const ended = own(told);
      const again = known(kernel.host, ended);
      if (again !== null) {
        kernel.host.as(call, () => this.again(call, code, again, names, ended));
      } else if (call.malformed && ended.line > 0 && test(MODULE, ended.thrown.message)) {
        kernel.settled(call, { thrown: call.malformed.error, line: call.malformed.line, column: call.malformed.column });
      } else {
        if (ended.line > 0) call.begun = !uncompiled(kernel.host, ended, call);
        kernel.settled(call, ended.line > 0 && call.begun ? { thrown: ended.thrown, line: 0, column: 0 } : ended);
      }
    });
  }

  /** The code declares a name that V8 knows as another kind: nothing of it ran. */
  async again(call, code, name, names, ended) {
    const { kernel } = this;
    const all = names ?? new Names();
    call.original ??= { code, ended };
    const { code: original, ended: first } = call.original;
    let changed = null;
    if (!all.has(name)) {
      // One whose declaration failed cannot be assigned; else `var x = x ?? 1` goes on with what there is.
      all.set(name, kernel.host.lookup(name) === null);
      try {
        changed = redeclared(await kernel.host.acorn(), original, all);
      } catch {}
    }
    if (call.done) return;
    if (changed === null) {
      kernel.settled(call, first);
    } else if (changed.before === '') {
      this.evaluate(call, changed.code, all);
    } else {
      kernel.host.evaluate(changed.before, call.url, call, (moved) => {
        const more = known(kernel.host, moved);
        if (more !== null) kernel.host.as(call, () => this.again(call, code, more, all, ended));
        else if (hasOwn(moved, 'thrown')) kernel.settled(call, first);
        else this.evaluate(call, changed.code, all);
      });
    }
  }

  /** What V8 is told that the code is called: it takes no blanks and quotes. */
  urlOf(name) {
    if (!test(ODD, name)) return name;
    let url = '';
    for (let at = 0; at < name.length; at += 1) url += test(ODD, name[at]) ? `%${numberText(charCode(name, at), 16)}` : name[at];
    this.odd.set(url, name);
    return url;
  }

  remember(name, text) {
    const { texts } = this;
    this.size += text.length - (texts.get(name)?.length ?? 0);
    texts.delete(name);
    texts.set(name, text);
    this.maps.delete(name);
    if (this.size <= TEXTS) return;
    const names = texts.list();
    for (let at = 0; at < names.length - 1 && this.size > TEXTS; at += 1) {
      this.size -= texts.get(names[at]).length;
      texts.delete(names[at]);
      this.maps.delete(names[at]);
    }
  }
}

/**
 * What the names are read from: the module's namespace, which must have them all. That of a CommonJS module lacks what
 * is found only when it runs (`import { debounce } from 'lodash'`, `import * as _ from 'lodash'`), which TypeScript allows
 * and bundlers make work: such a name is then one of `module.exports`.
 */
function withNames(namespace, specifier, names) {
  const exported = namespace[EXPORTS];
  const holds = (typeof exported === 'object' && exported !== null) || typeof exported === 'function';
  let made = namespace;
  const add = (name) => {
    if (made === namespace) made = { __proto__: null, ...namespace };
    const { get } = getOwnPropertyDescriptor(exported, name) ?? {};
    // What a package loads when it is asked for is not asked for here.
    if (get) defineProperty(made, name, { __proto__: null, get: () => exported[name], enumerable: true });
    else made[name] = exported[name];
  };
  for (let at = 0; at < names.length; at += 1) {
    const { imported } = names[at];
    if (imported === null) {
      const all = holds ? keys(exported) : [];
      for (let each = 0; each < all.length; each += 1) if (!hasOwn(made, all[each])) add(all[each]);
    } else if (!hasOwn(made, imported)) {
      if (!holds || !(imported in exported)) {
        throw new SyntaxError(`The requested module '${specifier}' does not provide an export named '${imported}'`);
      }
      add(imported);
    }
  }
  return made;
}

/** Whether the place that the inspector tells is one in the call's text: else it is where any script threw it. */
function uncompiled(host, ended, call) {
  if (!host.isSyntaxError(ended.thrown)) return false;
  try {
    // Code that runs has a frame.
    return !includes(toText(ended.thrown.stack), `${call.url}:`);
  } catch {
    return true;
  }
}

/** The name that V8 refused to declare as another kind; or null. */
function known(host, ended) {
  if (!hasOwn(ended, 'thrown') || !host.isSyntaxError(ended.thrown)) return null;
  const { message } = ended.thrown;
  return typeof message === 'string' ? (match(AGAIN, message)?.[1] ?? null) : null;
}
