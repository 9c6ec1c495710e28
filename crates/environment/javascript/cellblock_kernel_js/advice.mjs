// What a report adds to an error, where more is known than the error says.
//
// What must stay true: a sentence is short, and said only where the error alone misleads. A name is looked for in the texts
// of calls that failed, by how declarations begin a line, and only when an error says that it is not there.

import { includes, join, match, push, slice, split, test, uncurried } from './safe.mjs';

const { RegExp } = globalThis;
const replace = uncurried(String.prototype.replace);
const shift = uncurried(Array.prototype.shift);
/** Calls that failed which are remembered, and characters of each that are looked into. */
const CALLS = 50;
const TEXT = 64 << 10;
const REASON = 200;
const UNDEFINED = /^(\S+) is not defined$/;
const UNKNOWN = /^(?:Cannot find (?:name|namespace)|No value exists in scope for the shorthand property) '([^']+)'/;
const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
/** A line of TypeScript that is none of JavaScript. */
const TYPED =
  /^(?:(?:export )?(?:declare )?(?:abstract )?(?:interface|enum|namespace) \w+.*\{|(?:export )?type \w+(?:<.*>)? ?=|import type |(?:export )?(?:const|let|var) [\w$]+ ?: ?[\w{([]|(?:export )?(?:async )?function \w+(?:<.*>)?\(.*(?:\w\??: ?[\w{([]|\) ?: ?[\w{([])|.*\(\w+\??: (?:string|number|boolean|any|unknown)\b|.* as (?:const|any|unknown|string|number)\b|.* satisfies \w|(?:private|protected|public|readonly) \w+)/;

/** The calls that failed, the latest last. */
export class Failures {
  constructor() {
    this.calls = [];
  }

  /** Remembers a call: its number, text, and what its report says. `ran`: whether any of it did. */
  add(number, code, { ename, evalue, interrupted }, ran) {
    const first = split(evalue, '\n', 1)[0];
    const reason = interrupted ? '' : `: ${ename}${first ? `: ${first}` : ''}`;
    const said = reason.length > REASON ? `${slice(reason, 0, REASON)}…` : reason;
    push(this.calls, { number, code: slice(code, 0, TEXT), what: `${interrupted ? 'was interrupted' : ran ? 'failed' : 'did not run'}${ran ? ' before it came to that' : ''}${said}` });
    if (this.calls.length > CALLS) shift(this.calls);
  }

  /** Why there is no such name, where a call that failed declares it at its top; or null. */
  why(name) {
    if (!test(NAME, name)) return null;
    const word = `${replace(name, /\$/g, '\\$')}(?![\\p{ID_Continue}$])`;
    const declared = new RegExp(
      `^(?:export\\s+(?:default\\s+)?)?(?:declare\\s+|abstract\\s+|async\\s+)*(?:(?:const|let|var)\\s(?:[^=;]{0,500}[\\s,{[:])?${word}|` +
        `(?:function\\s*\\*?|class|enum|const\\s+enum|interface|type|namespace)\\s+${word}|import\\s(?:[^'"]{0,500}[\\s,{])?${word}[^'"]{0,500}\\sfrom)`,
      'mu',
    );
    for (let at = this.calls.length - 1; at >= 0; at -= 1) {
      const { number, code, what } = this.calls[at];
      if (includes(code, name) && test(declared, code)) return `Call ${number}, which declares \`${name}\`, ${what}`;
    }
    return null;
  }
}

/** What to add to the traceback of an error; or null. `line` is that of the text at which a syntax error was found. */
export function adviceOn(failures, { ename, evalue }, line) {
  if (ename === 'ReferenceError') {
    const found = match(UNDEFINED, evalue);
    return found && failures.why(found[1]);
  }
  if (ename === 'SyntaxError' && line !== undefined && line.length <= 400 && test(TYPED, replace(line, /^\s+/, ''))) {
    return 'JavaScript takes no types: run this as the language "typescript".';
  }
  return null;
}

/** The same of diagnostics: why there are no such names. */
export function adviceOnNames(failures, diagnostics) {
  const found = [];
  for (let at = 0; at < diagnostics.length; at += 1) {
    const { text, file } = diagnostics[at];
    const name = file === undefined && match(UNKNOWN, text)?.[1];
    const why = name && failures.why(name);
    if (why && !includes(join(found, '\n'), why)) push(found, why);
  }
  return found;
}
