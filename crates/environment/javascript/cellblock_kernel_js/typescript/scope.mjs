// What a session has declared, and how one call sees what the calls before it declared.
//
// Every call is a module file of its own: its names shadow whatever is global, and may be declared again with another
// type by a later call without touching what earlier calls made of the older one. Two trailers stand behind a call's
// text, on lines of their own, so that positions in the text are those that its author sees:
//
//   export {}; declare global { namespace $call3 { export { a, B } } }     what later calls can refer to
//   import B = $call1.B; declare let a: typeof $call2.a;                    what this call refers to
//
// TypeScript says that an export has no place in there, but does what is meant, and errors in trailers are not shown.
// Rejected: `import { B } from './call-1'` asks whether that file exists, over the pipe, as it then does for hundreds
// of others; and one global scope for all calls would change the types of earlier calls with every redeclaration.
// An alias keeps all of a name's meanings, generics included. What can be assigned has to be a variable instead.
import { declared } from './names.mjs';
import { unqueried } from './own.mjs';

/** Calls whose text goes with every check, if nothing in the call at hand needs more. */
const WINDOW = 48;
/**
 * No check has more of earlier calls than so many, and than so many characters of them. What lies further back, behind
 * names that refer to names that refer to it, is `any`. A call in a row of a thousand, of which each goes on with the
 * one before, costs 0.2 s of a check; other calls cost nothing, however many there are.
 */
const FURTHEST = 1024;
const LONGEST = 8 << 20;
const WORD = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/gu;
const ASSIGNABLE = new Set(['let', 'var']);

const home = (number) => `$call${number}`;

export class Scope {
  /** number → call */
  #calls = new Map();
  /** name → number of the call that declared it last */
  #latest = new Map();
  #clock = 0;
  #locals;
  #furthest;

  /** `locals`: name → what declares it in a call that uses it, if no call has declared it. */
  constructor(locals = new Map(), furthest = FURTHEST) {
    this.#locals = locals;
    this.#furthest = furthest;
  }

  /**
   * A call as it would stand behind those that were begun; nothing is remembered yet. Its `fresh` names are enums and
   * namespaces that have nothing of what was called so before, its names `onto` are
   * namespaces that are put into a class; `siblings` are earlier parts of those that have, so that
   * a translation knows which names are theirs.
   */
  draft(number, path, text, tree, { merge = true } = {}) {
    const own = declared(tree);
    const words = new Set(text.match(WORD));
    const names = new Map(own.names);
    const uses = new Set();
    const fresh = new Set();
    const onto = new Set();
    const lines = [];
    for (const word of words) {
      const from = this.#latest.get(word);
      if (from === undefined) {
        if (this.#locals.has(word) && !own.names.has(word)) lines.push({ merged: false, text: this.#locals.get(word) });
        continue;
      }
      const there = this.#calls.get(from).names.get(word);
      const here = own.names.get(word);
      const behind = `${home(from)}.${word}`;
      const line = here
        ? this.#beside(word, here, there, behind, names, merge)
        : { merged: false, text: seen(word, there, behind) };
      if (line?.onto) onto.add(word);
      else if (here?.members && !line?.text.includes('enum ') || here?.inner && !there.inner) fresh.add(word);
      if (!line) continue;
      lines.push(line);
      uses.add(from);
    }
    return {
      number,
      path,
      text: unqueried(text, tree),
      names,
      uses,
      fresh,
      onto,
      outside: own.outside,
      merges: lines.some((line) => line.merged),
      seen: lines.map((line) => line.text).join(' '),
      siblings: lines.map((line) => line.sibling ?? '').join(' '),
    };
  }

  /** What a call that declares `word` itself still sees of the earlier one; sets what the two are together. */
  #beside(word, here, there, behind, names, merge) {
    // All parts of a name are exported, or none is.
    const out = here.exported ? 'export ' : '';
    if (here.type === 'enum' && there.type === 'enum') {
      if (!merge || here.constant !== there.constant) return undefined;
      names.set(word, { ...here, members: [...there.members, ...here.members] });
      const how = `${out}${here.constant ? 'const enum' : 'enum'}`;
      const lines = there.members.map((members) => `${how} ${word} ${members.replace(/\s+/g, ' ')}`);
      const text = lines.join(' ');
      return { merged: true, text, sibling: text };
    }
    if (merge && here.value === 'namespace' && there.value === 'class') {
      names.set(word, { ...here, value: 'class', type: 'class', parameters: there.parameters, abstract: there.abstract });
      const { written, names: own } = there.parameters;
      const text = `${out}${there.abstract ? 'abstract ' : ''}class ${word}${written} extends ${behind}${own} {}`;
      return { merged: true, onto: true, text };
    }
    if (here.inner && there.inner) {
      names.set(word, { ...here, inner: { ...there.inner, ...here.inner } });
      const lost = Object.entries(there.inner).filter(([name]) => !(name in here.inner));
      const lines = lost.map(([name, how]) => (how === 'let'
        ? `${out}declare namespace ${word} { export let ${name}: typeof ${behind}.${name}; }`
        : `${out}namespace ${word} { export import ${name} = ${behind}.${name}; }`));
      const sibling = `${out}namespace ${word} { export let ${lost.map(([name]) => name).join(', ')}; }`;
      return { merged: true, text: lines.join(' '), sibling: lost.length > 0 ? sibling : '' };
    }
    const more = merge ? extended(word, here, there, behind) : '';
    if (here.type && !here.value && there.value) {
      const value = ASSIGNABLE.has(there.value) ? 'let' : 'const';
      names.set(word, { ...here, value });
      return { merged: more !== '', text: `${seen(word, { value }, behind)} ${more}` };
    }
    if (here.value && !here.type && (there.type === 'interface' || there.type === 'alias')) {
      names.set(word, { ...here, type: there.type, parameters: there.parameters });
      return { merged: false, text: `import ${word} = ${behind};` };
    }
    return more ? { merged: true, text: more } : undefined;
  }

  /** The text of a call's file while it is checked. */
  checked(call) {
    return `${call.text}\n;export {}; ${call.seen}`;
  }

  /** The text of a call's file for those behind it. */
  #told(call) {
    const names = [...call.names.keys()].join(', ');
    return `${this.checked(call)} declare global { namespace ${home(call.number)} { export { ${names} } } }`;
  }

  /** The call was begun: its names are in scope from now on. */
  add(call) {
    call.told = this.#told(call);
    call.used = ++this.#clock;
    this.#calls.set(call.number, call);
    for (const name of call.names.keys()) this.#latest.set(name, call.number);
    this.#drop();
  }

  /** Forgets calls of which no name is in scope and that no other call refers to. */
  #drop() {
    if (this.#calls.size < 2 * WINDOW) return;
    const kept = new Set(this.#latest.values());
    for (const [number, call] of this.#calls) if (call.outside) kept.add(number);
    // A set that grows while it is gone through is gone through to its end.
    for (const number of kept) for (const other of this.#calls.get(number).uses) if (this.#calls.has(other)) kept.add(other);
    for (const number of this.#calls.keys()) if (!kept.has(number)) this.#calls.delete(number);
  }

  /** The files that a check of `draft` needs: path → text, its own the last. */
  files(draft) {
    const needed = new Set();
    let length = 0;
    // The nearest first: what the call itself names, then what that refers to, and so on.
    const need = (numbers, most) => {
      const queue = [...numbers];
      for (const number of queue) {
        const call = this.#calls.get(number);
        if (!call || needed.has(number)) continue;
        if (needed.size >= most || length + call.text.length > LONGEST) return;
        needed.add(number);
        length += call.text.length;
        if (most === this.#furthest) call.used = this.#clock;
        queue.push(...call.uses);
      }
    };
    const all = [...this.#calls.values()];
    need(all.filter((call) => call.outside).map((call) => call.number), this.#furthest);
    need(draft.uses, this.#furthest);
    // What was needed of late stays: a call that comes and goes would have its packages read again each time.
    need(all.filter((call) => call.used > this.#clock - WINDOW).map((call) => call.number).reverse(), Math.min(WINDOW, this.#furthest));
    const files = new Map();
    for (const number of [...needed].sort((a, b) => a - b)) {
      const call = this.#calls.get(number);
      files.set(call.path, call.told);
    }
    files.set(draft.path, this.checked(draft));
    return files;
  }

  get size() { return this.#calls.size; }

  clear() {
    this.#calls.clear();
    this.#latest.clear();
  }
}

/** How a call that declares nothing of that name sees an earlier declaration. */
function seen(word, there, behind) {
  if (ASSIGNABLE.has(there.value)) {
    const type = there.type ? ` type ${word} = ${behind};` : '';
    return `declare ${there.value} ${word}: typeof ${behind};${type}`;
  }
  if (there.value === 'const' && !there.type) return `declare const ${word}: typeof ${behind};`;
  return `import ${word} = ${behind};`;
}

/** An interface that is declared again has what it had before. */
function extended(word, here, there, behind) {
  if (here.type !== 'interface' || !(there.type === 'interface' || there.type === 'class')) return '';
  const mine = here.parameters ?? { written: '', names: '' };
  if (mine.written !== (there.parameters?.written ?? '')) return '';
  return `${here.exported ? 'export ' : ''}interface ${word}${mine.written} extends ${behind}${mine.names} {}`;
}
