// The user's own files that a call imports, and those that they import: what is wrong in them is wrong with the call,
// as it is to `tsc`.
//
// What must stay true: a file that a call does not reach says nothing about it, however broken it is, and neither does
// a package's. JavaScript and declarations (`.d.ts`) are read for their types, never checked.
import { dirname, resolve } from 'node:path';

import { K } from './tree.mjs';

const RELATIVE = /^(?:\.{0,2}\/|\.{1,2}$)/;
const CHECKED = /(?<!\.d)\.[cm]?tsx?$/;
const ENDINGS = ['', '.ts', '.tsx', '.js', '/index.ts', '/index.tsx', '/index.js'];
const INSTEAD = { js: ['.ts', '.tsx'], mjs: ['.mts'], cjs: ['.cts'], jsx: ['.tsx'] };

/** Whether what is wrong in a file is told. */
export const checked = (path) => CHECKED.test(path);

/** Of the names of modules in a file those that mean a file beside it. */
export function relatives(tree) {
  return [...new Set(specifiers(tree).map(({ name }) => name.split('?', 1)[0]))];
}

/**
 * The text with nothing behind the `?` of a file's name, which makes a runtime read the file again and says nothing to
 * the compiler; everything else stays at its place.
 */
export function unqueried(text, tree) {
  if (!text.includes('?')) return text;
  let plain = text;
  for (const { name, end } of specifiers(tree)) {
    const at = name.indexOf('?');
    if (at < 0) continue;
    const quote = text[end - 1];
    plain = plain.slice(0, end - 1 - name.length + at) + quote + ' '.repeat(name.length - at) + plain.slice(end);
  }
  return plain;
}

/** `{ name, end }` of each text that names a file beside this one. */
function specifiers(tree) {
  const parents = [K.ImportDeclaration, K.ExportDeclaration, K.ExternalModuleReference, K.CallExpression, K.LiteralType];
  const found = [];
  for (let node = 1; node < tree.count; node += 1) {
    if (tree.kind(node) !== K.StringLiteral) continue;
    let parent = tree.parent(node);
    if (tree.isList(parent)) parent = tree.parent(parent);
    if (!parents.includes(tree.kind(parent))) continue;
    const called = tree.kind(parent) === K.CallExpression;
    if (called && !/^(?:import|require)\b/.test(tree.slice(parent))) continue;
    const name = tree.slice(node).slice(1, -1);
    if (RELATIVE.test(name)) found.push({ name, end: tree.end(node) });
  }
  return found;
}

/** The files that are reached from `path`, which names `names`. `has(path)` is whether there is one, `open` gives its names. */
export async function reached(path, names, has, open) {
  const found = new Set();
  const queue = [[path, names]];
  for (const [from, all] of queue) {
    for (const name of all) {
      const file = candidates(resolve(dirname(from), name)).find(has);
      if (file === undefined || found.has(file)) continue;
      found.add(file);
      queue.push([file, await open(file)]);
    }
  }
  return [...found];
}

/** The files that a name may mean, the first that there is being the one. */
function candidates(base) {
  const ending = /\.([cm]?jsx?)$/.exec(base);
  const instead = ending ? INSTEAD[ending[1]].map((other) => base.slice(0, ending.index) + other) : [];
  return [...instead, ...ENDINGS.map((other) => base + other)];
}
