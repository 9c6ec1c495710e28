// What TypeScript says about a call, in lines and columns of the call's own text.
//
// Lines and columns count from 1, columns in UTF-16 units, as tsc prints them: an emoji before the place counts two,
// a tab one. Lines end where TypeScript ends them: \n, \r\n, \r, U+2028, U+2029.

/** So many are handed on; of the others the number is told. */
export const MOST = 20;

const CATEGORY = ['warning', 'error', 'suggestion', 'message'];

// What only annoys in a session: an expression may be there to be looked at, and a module may be declared anywhere.
const ODD = [2695, 2664, 2665];
// And whatever only says that something is `any` because nobody has said what it is: a package without types, what
// `JSON.parse` gave and callbacks over it, `const list = []`, `globalThis.x`, an object used as a table, `this` in a
// function. The option that is called `noImplicitAny` is on all the same, for without it `let x; x = 1` has no type.
const UNSAID = [
  7005, 7006, 7008, 7009, 7010, 7011, 7013, 7015, 7016, 7017, 7018, 7019, 7020, 7022, 7023, 7024, 7025, 7031, 7032, 7033,
  7034, 7041, 7051, 2683,
];
const OFF = new Set([...ODD, ...UNSAID]);
/** Of `table[key]`: an error if the key is known and not there, and not if it can be any text. */
const INDEXED = 7053;
const ANY_KEY = 7054;
/** What names a name that TypeScript does not know. */
const UNKNOWN = new Set([2304, 2503, 2552, 2580, 2581, 2582, 2583, 2584, 2591, 2592, 2593, 2867, 2868, 18004]);
const NO_MODULE = new Set([2307, 2792, 2882]);
/** What tsc says of a name that some package's types declare. */
const ADVICE = / Do you need to install type definitions for [^]*$/;
/** What Deno fetches by itself, and TypeScript cannot look into. */
const FETCHED = /^(npm|jsr|https?|data|blob):/;

export class Lines {
  #starts = [0];

  constructor(text) {
    for (const end of text.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) this.#starts.push(end.index + end[0].length);
  }

  /** `{ line, column }` of a position. */
  at(position) {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle] <= position) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: position - this.#starts[low] + 1 };
  }
}

/**
 * The diagnostics of the call whose text is `text` and whose file is `path`; `resolves(name)` says of a package that
 * TypeScript does not find whether the runtime would, and `lives(name)` the same of a global name.
 */
export function translated(found, { text, path, resolves, lives }) {
  const lines = new Lines(text);
  const all = [];
  const known = new Set();
  for (const one of found) {
    if (one.fileName !== path || one.pos > text.length || OFF.has(one.code)) continue;
    const name = NO_MODULE.has(one.code) ? /'([^']+)'/.exec(one.text)?.[1] : undefined;
    if (name && (FETCHED.test(name) || resolves?.(name))) continue;
    if (one.code === INDEXED && one.messageChain?.some((why) => why.code === ANY_KEY)) continue;
    if (UNKNOWN.has(one.code) && lives?.(/'([^']+)'/.exec(one.text)?.[1])) continue;
    const key = `${one.pos} ${one.end} ${one.code}`;
    if (known.has(key)) continue;
    known.add(key);
    const start = lines.at(one.pos);
    const end = lines.at(Math.min(one.end, text.length));
    all.push({
      ...start,
      endLine: end.line,
      endColumn: end.column,
      length: Math.min(one.end, text.length) - one.pos,
      code: one.code,
      category: CATEGORY[one.category] ?? 'error',
      text: readable(flat(one) + hint(name), path),
      related: (one.relatedInformation ?? [])
        .filter((other) => other.fileName === path && other.pos < text.length)
        .map((other) => ({ ...lines.at(other.pos), text: readable(flat(other), path) })),
    });
  }
  all.sort((a, b) => a.line - b.line || a.column - b.column);
  return all;
}

/** The first of all diagnostics, and how many more there are. */
export function cut(all) {
  return { diagnostics: all.slice(0, MOST), more: Math.max(0, all.length - MOST) };
}

/** Those of a text with a character before its first line, in the places of the text without it. */
export function moved(all) {
  const at = (line, column) => (line === 1 ? Math.max(1, column - 1) : column);
  return all.map((one) => (one.file === undefined ? {
    ...one,
    column: at(one.line, one.column),
    endColumn: at(one.endLine, one.endColumn),
    related: one.related.map((other) => ({ ...other, column: at(other.line, other.column) })),
  } : one));
}

/** Diagnostics as tsc prints them to a file: `cell-3.ts(2,7): error TS2322: …`. */
export function printed({ diagnostics, more = 0 }, name) {
  const lines = diagnostics.flatMap((one) => [
    `${one.file ?? name}(${one.line},${one.column}): ${one.category}${one.code ? ` TS${one.code}` : ''}: ${one.text}`,
    ...(one.related ?? []).map((other) => `  ${one.file ?? name}(${other.line},${other.column}): ${other.text}`),
  ]);
  if (more) lines.push(`and ${more} more ${more === 1 ? 'error' : 'errors'}`);
  return lines.join('\n');
}

/** A message and what explains it, each step two blanks further in, as tsc prints it. */
function flat(one, depth = 0) {
  const rest = (one.messageChain ?? []).map((next) => `\n${'  '.repeat(depth + 1)}${flat(next, depth + 1)}`);
  return one.text + rest.join('');
}

/** Without the names of our files: a type of another call is called by its own name alone. */
function readable(text) {
  return text
    .replace(/import\("[^"]*\/cell-\d+\.cellblock"\)\./g, '')
    .replace(/\$call\d+\./g, '')
    // Types alone would let pass what is not there when it runs.
    .replace(ADVICE, '');
}

function hint(name) {
  if (!name || /^[./]|^[a-z]+:/.test(name)) return '';
  const bare = name.startsWith('@') ? name.split('/', 2).join('/') : name.split('/', 1)[0];
  return ` If it is a package, 'npm install ${bare}' adds it where the network is allowed.`;
}
