// One check: parse, find names, put the call behind what it refers to, ask for what is wrong, translate.
//
// A call is read first as a file of a project of its own that knows no library: 2 ms, and its names have to be known
// before it can be seen which earlier ones it refers to. Syntax errors end it there, as tsc's own output would be
// mostly what follows from them.
import { readFileSync, statSync } from 'node:fs';
import { dirname, extname, relative } from 'node:path';

import { inParentheses } from '../source.mjs';
import { moved, translated } from './diagnostics.mjs';
import { emitted } from './emit.mjs';
import { importedTypes } from './imports.mjs';
import { checked, reached, relatives } from './own.mjs';
import { Server, Refused } from './server.mjs';
import { checking, globals, parsing } from './settings.mjs';
import { stripped } from './strip.mjs';
import { K, load, Tree } from './tree.mjs';

/** What the compiler's process may use before it collects what it does not need, in MiB. */
const MEMORY = 256;

export class Compiler {
  #options;
  #server;
  #idle;
  /** What the process was told: path → text. */
  #told = new Map();
  #files = new Map();
  #roots = { check: [], parse: [] };
  #snapshot;
  #closed = false;
  #own;
  /** Files of the user's own that the process has read: path → when they were written. */
  #foreign = new Map();
  /** The same of packages' descriptions, which npm writes anew with whatever else it writes. */
  #packages = new Map();
  /** Which files those name that a call has reached: path → `{ as, names }`, `as` they were written. */
  #names = new Map();

  constructor(options) {
    this.#options = options;
    this.#own = {
      check: '/.cellblock/check/tsconfig.json',
      parse: '/.cellblock/parse/tsconfig.json',
      globals: '/.cellblock/globals.d.ts',
    };
  }

  get pid() { return this.#server?.alive ? this.#server.pid : undefined; }

  /** Gives `{ diagnostics, draft, javascript, map }`; of a text that is an `object`, with `shifted`. */
  prepare(text, scope, { number, cwd, object = false }) {
    return this.#lasting(async () => {
      const path = file(cwd, number, 'ts');
      if (object) {
        const whole = inParentheses(text);
        const parsed = await this.#parse(whole, path);
        if (parsed.wrong.length === 0 && isWhole(parsed.tree)) {
          const { diagnostics, ...rest } = await this.#prepared(whole, parsed, path, scope, { number, cwd });
          return { ...rest, diagnostics: moved(diagnostics), shifted: true };
        }
      }
      return this.#prepared(text, await this.#parse(text, path), path, scope, { number, cwd });
    });
  }

  async #prepared(text, { tree, wrong }, path, scope, { number, cwd }) {
    const report = (found) => translated(found, {
      text, path, ...this.#runtime(cwd),
    });
    if (wrong.length > 0) return { diagnostics: report(await this.#elements(text, path) ?? wrong), javascript: null, map: null };
    let draft = scope.draft(number, path, text, tree);
    let found = await this.#check(draft, scope);
    // An interface that contradicts the earlier one takes its place instead of being merged with it.
    if (draft.merges && found.some((one) => one.category === 1 && one.fileName === path)) {
      const alone = scope.draft(number, path, text, tree, { merge: false });
      const without = await this.#check(alone, scope);
      if (errors(without) < errors(found)) [draft, found] = [alone, without];
    }
    const own = await this.#beside(tree, path, cwd);
    const types = await this.#typesOnly(tree, path);
    // What is said of the call itself mostly follows from a file that cannot be read.
    const diagnostics = own.unread ? own.found : [...report(found), ...own.found];
    return { diagnostics, draft, ...await this.#translate(tree, text, types, draft) };
  }

  /** Reads a call of JavaScript; undefined if its syntax is not TypeScript's. */
  read(text, scope, { number, cwd }) {
    return this.#lasting(async () => {
      const path = file(cwd, number, 'js');
      const { tree, wrong } = await this.#parse(text, path);
      return wrong.length > 0 ? undefined : scope.draft(number, path, text, tree);
    });
  }

  /** Translates without a check, for want of a compiler. */
  unchecked(text, number) {
    return this.#emit(text, number);
  }

  #emit(text, number, { fresh, onto, siblings, names } = {}) {
    const { libraries, taken } = this.#options;
    return emitted(text, { libraries, name: `cell-${number}.ts`, taken, fresh, onto, siblings, names });
  }

  warm(cwd) {
    return this.#lasting(() => this.#update(new Map([[file(cwd, 0, 'ts'), 'export {};']])));
  }

  /** For good: who still waits for this compiler waits in vain. */
  close() {
    this.#closed = true;
    this.#rest();
  }

  #rest() {
    clearTimeout(this.#idle);
    this.#server?.close();
    this.#server = undefined;
  }

  /** Does `work` with a process that lives; with another one if it goes away meanwhile. */
  async #lasting(work) {
    clearTimeout(this.#idle);
    await load(this.#options.libraries);
    try {
      return await work();
    } catch (error) {
      if (this.#closed) throw new Error('the compiler was closed', { cause: error });
      if (error instanceof Refused || this.#server?.alive) throw error;
      return await work();
    } finally {
      if (!this.#closed) this.#idle = setTimeout(() => this.#rest(), this.#options.idle);
      this.#idle?.unref();
    }
  }

  #start() {
    if (this.#closed) throw new Error('the compiler was closed');
    if (this.#server?.alive) return this.#server;
    const { libraries, memory = MEMORY } = this.#options;
    this.#told.clear();
    this.#foreign.clear();
    this.#packages.clear();
    this.#snapshot = undefined;
    const executable = `${libraries}/@typescript/typescript-linux-${process.arch}/lib/tsc`;
    this.#server = new Server(executable, { cwd: '/', memory, read: (path) => this.#read(path) });
    return this.#server;
  }

  #read(path) {
    const text = this.#files.get(path);
    if (text !== undefined || path === this.#options.denoLibrary) return text;
    if (!path.includes(PACKAGES)) this.#foreign.set(path, written(path));
    // The environment's own stay as they are.
    else if (path.endsWith('/package.json') && !path.startsWith(this.#options.libraries)) this.#packages.set(path, written(path));
    return undefined;
  }

  async #parse(text, path) {
    const file = this.#own.parse + extname(path);
    await this.#update(undefined, new Map([[file, text]]));
    const project = this.#project(this.#own.parse);
    const [wrong, answer] = await Promise.all([
      this.#server.call('getSyntacticDiagnostics', { ...project, file }),
      this.#server.call('getSourceFile', { ...project, file }),
    ]);
    return {
      wrong: (wrong ?? []).map((one) => ({ ...one, fileName: one.fileName === file ? path : one.fileName })),
      tree: new Tree(answer.data, text),
    };
  }

  /** What is wrong with a text that would be right if it might have elements in it (JSX), said of the first of them. */
  async #elements(text, path) {
    if (!/<\/|\/>/.test(text)) return undefined;
    const { tree, wrong } = await this.#parse(text, `${path}x`);
    const element = wrong.length === 0 ? tree.find([K.JsxElement, K.JsxSelfClosingElement, K.JsxFragment]) : 0;
    return element ? [{ fileName: path, pos: tree.start(element), end: tree.end(element), code: NO_ELEMENTS, category: 1, text: ELEMENTS }] : undefined;
  }

  async #check(draft, scope) {
    await this.#update(scope.files(draft));
    const found = await this.#server.call('getSemanticDiagnostics', { ...this.#project(this.#own.check), file: draft.path });
    // Enums' earlier members, and the class that a namespace goes on with, stand behind the text, and not too late for that.
    const late = (one) => (one.code === DECLARED_AFTER && draft.siblings.includes('enum '))
      || (one.code === CLASS_BEHIND && draft.onto.size > 0)
      || (one.code === USED_BEFORE && draft.onto.has(/'([^']+)'/.exec(one.text)?.[1]));
    return (found ?? []).filter((one) => !late(one));
  }

  /** What is wrong in the user's own files that the call imports; `unread` if there is one that is no TypeScript. */
  async #beside(tree, path, cwd) {
    const project = this.#project(this.#own.check);
    const ask = async (method, files) => {
      const all = await Promise.all(files.map((file) => this.#server.call(method, { ...project, file }).catch(absent)));
      return files.flatMap((file, at) => (all[at]?.length > 0 ? this.#inFile(file, all[at], cwd) : []));
    };
    const files = await reached(path, relatives(tree), (file) => this.#foreign.get(file) !== undefined, (file) => this.#named(file));
    const wanted = files.filter(checked);
    const unread = await ask('getSyntacticDiagnostics', wanted);
    if (unread.length > 0) return { found: unread, unread: true };
    return { found: await ask('getSemanticDiagnostics', wanted), unread: false };
  }

  #inFile(path, found, cwd) {
    const text = read(path);
    const lines = text.split(/\r\n|[\n\r\u2028\u2029]/);
    const name = relative(cwd, path);
    return translated(found, { text, path, ...this.#runtime(dirname(path)) })
      .map((one) => ({ ...one, file: name.startsWith('../') ? path : name, shown: lines[one.line - 1] }));
  }

  /** What only the runtime knows, asked from a directory. */
  #runtime(directory) {
    const { resolves, lives } = this.#options;
    return { resolves: resolves && ((name) => resolves(name, directory)), lives };
  }

  async #named(path) {
    const as = this.#foreign.get(path);
    const known = this.#names.get(path);
    if (known?.as === as) return known.names;
    const answer = await this.#server.call('getSourceFile', { ...this.#project(this.#own.check), file: path }).catch(absent);
    const names = answer ? relatives(new Tree(answer.data, read(path))) : [];
    this.#names.set(path, { as, names });
    return names;
  }

  /** The names that the call imports and that are types only. */
  async #typesOnly(tree, path) {
    const wanted = importedTypes(tree);
    if (wanted.length === 0) return new Set();
    return await this.#server.call('getSymbolsAtPositions', {
      ...this.#project(this.#own.check), file: path, positions: wanted.map((one) => one.position),
    }).then(async (symbols) => {
      const types = new Set();
      await Promise.all(wanted.map(async ({ node }, at) => {
        const symbol = symbols[at];
        if (!symbol) return;
        const target = await this.#server.call('getAliasedSymbol', { ...this.#project(this.#own.check), symbol: symbol.id });
        const flags = target?.flags ?? 0;
        if (flags & TYPE && !(flags & VALUE)) types.add(node);
      }));
      return types;
    });
  }

  async #translate(tree, text, types, draft) {
    const { javascript, whole } = stripped(tree, text, types);
    if (whole) return { javascript, map: null };
    return this.#emit(javascript, draft.number, draft);
  }

  #project(file) {
    return { snapshot: this.#snapshot.snapshot, project: this.#snapshot.projects.find((one) => one.configFileName === file).id };
  }

  /** Tells the process which files there are now: those of the check, of the parse, or both. */
  async #update(check, parse) {
    const server = this.#start();
    const { check: checkFile, parse: parseFile, globals: globalsFile } = this.#own;
    if (check) this.#replace('check', checkFile, check, () => checking([globalsFile, ...check.keys()], this.#options));
    if (parse) this.#replace('parse', parseFile, parse, () => parsing([...parse.keys()]));
    this.#files.set(globalsFile, globals(this.#options.runtime));
    const changes = { created: [], changed: [], deleted: [] };
    for (const [path, text] of this.#files) {
      if (!this.#told.has(path)) changes.created.push(path);
      else if (this.#told.get(path) !== text) changes.changed.push(path);
    }
    for (const path of this.#told.keys()) if (!this.#files.has(path)) changes.deleted.push(path);
    for (const [path, before] of this.#foreign) {
      const now = written(path);
      if (now === before) continue;
      changes[now === undefined ? 'deleted' : before === undefined ? 'created' : 'changed'].push(path);
      this.#foreign.set(path, now);
    }
    const open = [checkFile, parseFile].filter((file) => this.#files.has(file) && !this.#told.has(file));
    const other = [...this.#packages].some(([path, before]) => written(path) !== before);
    if (other) this.#packages.clear();
    const params = this.#snapshot ? { fileChanges: other ? { invalidateAll: true } : changes } : {};
    if (open.length > 0) params.openProjects = open;
    const before = this.#snapshot?.snapshot;
    this.#told = new Map(this.#files);
    this.#snapshot = await server.call('updateSnapshot', params);
    if (before !== undefined) server.call('release', { snapshot: before }).catch(() => {});
  }

  #replace(kind, settings, files, text) {
    for (const path of this.#roots[kind]) if (!files.has(path)) this.#files.delete(path);
    this.#roots[kind] = [...files.keys()];
    for (const [path, content] of files) this.#files.set(path, content);
    this.#files.set(settings, text());
  }
}

/** The file that a call is. It lies where the call works, so that what it imports is found as at run time. */
function file(cwd, number, kind) {
  return `${cwd.replace(/\/+$/, '')}/cell-${number}.cellblock.${kind}`;
}

/** When a file was written, with its size; undefined if there is none. */
function written(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.ino} ${found.ctimeMs} ${found.size}`;
}

/** The process says no to a file that it does not take for a part of the program after all. */
function absent(error) {
  if (!(error instanceof Refused)) throw error;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8').replace(/^\ufeff/, '');
  } catch {
    return '';
  }
}

const NO_ELEMENTS = 17004;
const ELEMENTS = 'JSX is not translated here: write the HTML as a text, or call what makes the elements by its name.';
const PACKAGES = '/node_modules/';
const DECLARED_AFTER = 2651;
const CLASS_BEHIND = 2434;
const USED_BEFORE = 2449;
const VALUE = 111551;
const TYPE = 788968;

/** Whether the file is one expression in parentheses from its beginning to its end. */
function isWhole(tree) {
  const [only, ...others] = tree.list(tree.root, 'statements');
  const inner = others.length === 0 && only && tree.get(only, 'expression');
  return Boolean(inner) && tree.kind(inner) === K.ParenthesizedExpression && tree.end(inner) === tree.text.length;
}

function errors(found) {
  return found.filter((one) => one.category === 1).length;
}
