// What TypeScript says about a call, in lines and columns of the call's own text.
//
// Lines and columns count from 1, columns in UTF-16 units, as tsc prints them: an emoji before the place counts two,
// a tab one. Lines end where TypeScript ends them: \n, \r\n, \r, U+2028, U+2029.

/** So many are handed on; of the others the number is told. */
export const MOST = 20;

const CATEGORY = ['warning', 'error', 'suggestion', 'message'];

// What only annoys in a notebook: a package without types is `any`, and an expression may be there to be looked at.
const UNTYPED = 7016;
const COMMA = 2695;
// `const list = []` has no type of its own until something is put in, which another call may do.
const EMPTY = [7005, 7034];
const OFF = new Set([UNTYPED, COMMA, ...EMPTY]);
const NO_MODULE = new Set([2307, 2792, 2882]);
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
 * TypeScript does not find whether the runtime would.
 */
export function translated(found, { text, path, resolves }) {
  const lines = new Lines(text);
  const all = [];
  const known = new Set();
  for (const one of found) {
    if (one.fileName !== path || one.pos > text.length || OFF.has(one.code)) continue;
    const name = NO_MODULE.has(one.code) ? /'([^']+)'/.exec(one.text)?.[1] : undefined;
    if (name && (FETCHED.test(name) || resolves?.(name))) continue;
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
    .replace(/\$call\d+\./g, '');
}

function hint(name) {
  if (!name || /^[./]|^[a-z]+:/.test(name)) return '';
  const bare = name.startsWith('@') ? name.split('/', 2).join('/') : name.split('/', 1)[0];
  return ` Install it with 'npm install ${bare}' if it is a package.`;
}
