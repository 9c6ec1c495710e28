// Rewriting of declarations, so that a name can be declared again as anything.
//
// V8 keeps three kinds of names in the global scope (`const`; `let` and `class`; `var` and `function`), and refuses a
// name that comes again as another kind. Whoever works in a session writes `let total` where an earlier call said
// `const total` all the same, or a function in place of a constant. So:
// - A constant is none to V8: `const` at the top is `let  `, and what assigns it in its text, or in a later one that does
//   not declare it anew, assigns a global instead that refuses it in the language's words and at that place.
// - A name that V8 knows as `var` or `function` is assigned where it is declared as `let` or `class`, and the other way
//   round. (A function is there before the code runs; and a name whose first declaration failed is declared before.)
//
// What must stay true: as in source.mjs, what is not rewritten stays at its line and column. Only behind a class that
// replaces a function, and behind `{ name } = …` and `name ??= …` of a constant, may the rest of a line move.

import { OPTIONS, edited, emptied, walk } from './source.mjs';
import { defineProperty, hasOwn, repeat } from './safe.mjs';

/** What a constant is called where it is assigned, so many times that the length stays. */
const REFUSING = '\u01c3';
const FUNCTION = /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;
const LIST = /^(?:Program|BlockStatement|StaticBlock|SwitchCase)$/;
const { captureStackTrace } = Error;
const { TypeError } = globalThis;

/**
 * The text with constants of ours: `{ code, declared }`, where `declared` says for each name of the top whether it is a
 * constant. `constants.has(name)` tells of those of earlier texts.
 */
export function withConstants(acorn, code, constants) {
  const tree = acorn.parse(code, OPTIONS);
  const edits = [];
  const declared = new Map();
  for (const node of tree.body) {
    if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') declared.set(node.id.name, false);
    if (node.type !== 'VariableDeclaration' || !/^(?:const|let)$/.test(node.kind)) continue;
    const constant = node.kind === 'const';
    for (const { id } of node.declarations) for (const { name } of namesIn(id)) declared.set(name, constant);
    if (constant) edits.push({ start: node.start, end: node.start + 5, text: 'let  ' });
  }
  for (const { node } of hoisted(tree)) for (const { id } of node.declarations) for (const { name } of namesIn(id)) declared.set(name, false);
  const refused = (name) => declared.get(name) ?? constants.has(name);
  walk(tree, (node) => {
    const found = assigned(node).filter(({ name, start }) => refused(name) && !shadowed(tree, name, start));
    if (found.length > 0) refuse(code, node, found, edits);
  });
  return { code: edited(code, edits), declared };
}

/** What a node assigns: identifiers. */
function assigned(node) {
  switch (node.type) {
    case 'AssignmentExpression':
      return namesIn(node.left);
    case 'UpdateExpression':
      return namesIn(node.argument);
    case 'ForInStatement':
    case 'ForOfStatement':
      return node.left.type === 'VariableDeclaration' ? [] : namesIn(node.left);
    default:
      return [];
  }
}

/** The identifiers that a pattern gives values to; `short` for `{ name }`. */
function namesIn(pattern, short = false) {
  switch (pattern?.type) {
    case 'Identifier':
      return [{ name: pattern.name, start: pattern.start, end: pattern.end, short }];
    case 'ObjectPattern':
      return pattern.properties.flatMap((each) => namesIn(each.value ?? each.argument, each.shorthand === true));
    case 'ArrayPattern':
      return pattern.elements.flatMap((each) => namesIn(each));
    case 'AssignmentPattern':
      return namesIn(pattern.left, short);
    case 'RestElement':
      return namesIn(pattern.argument);
    default:
      return [];
  }
}

/** Has the node assign what refuses it. */
function refuse(code, node, found, edits) {
  if (node.type === 'AssignmentExpression' && node.operator !== '=') {
    const [{ end, start }] = found;
    // Behind the name there may be brackets and comments.
    const [before] = /^(?:[\s)]|\/\*[^]*?\*\/|\/\/.*)*/.exec(code.slice(end));
    const at = end + before.length;
    const { length } = node.operator;
    if (/^(?:&&|\|\||\?\?)=$/.test(node.operator)) {
      // It assigns, or does not, by the value.
      edits.push({ start: at, end: at + length, text: `${node.operator.slice(0, -1)}(${refusing(end - start)}=` });
      edits.push({ start: node.end, end: node.end, text: ')' });
      return;
    }
    // What cannot be added fails for another reason, and too early.
    edits.push({ start: at, end: at + length, text: '='.padEnd(length) });
  }
  for (const { name, start, end, short } of found) {
    edits.push({ start, end, text: `${short ? `${name}:` : ''}${refusing(end - start)}` });
  }
}

/** A global name of this length that nothing can be assigned to. */
function refusing(length) {
  const name = repeat(REFUSING, length);
  if (hasOwn(globalThis, name)) return name;
  const set = () => {
    const error = new TypeError('Assignment to constant variable.');
    // It was where it was assigned.
    captureStackTrace(error, set);
    throw error;
  };
  defineProperty(globalThis, name, { get: () => undefined, set });
  return name;
}

/** Whether this name means something else there than at the top. */
function shadowed(tree, name, place) {
  let inner = false;
  for (let node = tree; node !== null && !inner; node = childAt(node, place)) inner = node !== tree && declares(node, name);
  return inner;
}

function childAt(node, place) {
  for (const key in node) {
    const value = node[key];
    for (const each of Array.isArray(value) ? value : [value]) {
      if (typeof each?.type === 'string' && each.start <= place && place < each.end) return each;
    }
  }
  return null;
}

/** Whether the name is declared for what is inside of this node. */
function declares(node, name) {
  const has = (pattern) => namesIn(pattern).some((each) => each.name === name);
  const declaring = (each) =>
    each?.type === 'VariableDeclaration' ? each.kind !== 'var' && each.declarations.some(({ id }) => has(id)) : each?.id?.name === name && /^(?:Function|Class)Declaration$/.test(each.type);
  const variable = () => hoisted(node).some(({ node: each }) => each.declarations.some(({ id }) => has(id)));
  switch (node.type) {
    case 'FunctionExpression':
    case 'FunctionDeclaration':
    case 'ArrowFunctionExpression':
      return (node.type === 'FunctionExpression' && node.id?.name === name) || node.params.some(has) || variable();
    case 'ClassExpression':
    case 'ClassDeclaration':
      return node.id?.name === name;
    case 'BlockStatement':
      return node.body.some(declaring);
    case 'StaticBlock':
      return node.body.some(declaring) || variable();
    case 'SwitchStatement':
      return node.cases.some(({ consequent }) => consequent.some(declaring));
    case 'ForStatement':
      return declaring(node.init);
    case 'ForInStatement':
    case 'ForOfStatement':
      return declaring(node.left);
    case 'CatchClause':
      return has(node.param);
    case 'WithStatement':
      // Nobody knows before it runs.
      return true;
    default:
      return false;
  }
}

/** The declarations with `var` of this scope, wherever in it they stand, each with what it stands in. */
function hoisted(scope) {
  const found = [];
  const todo = [scope];
  while (todo.length > 0) {
    const parent = todo.pop();
    for (const key in parent) {
      const value = parent[key];
      for (const node of Array.isArray(value) ? value : [value]) {
        if (typeof node?.type !== 'string' || FUNCTION.test(node.type) || node.type === 'StaticBlock') continue;
        if (node.type === 'VariableDeclaration' && node.kind === 'var') found.push({ node, parent });
        todo.push(node);
      }
    }
  }
  return found;
}

/**
 * The text so that it assigns these names, which V8 knows as another kind: `{ code, before }`, where `before` is to be
 * evaluated first. Null if it does not declare them. `names.get(name)` is true where the earlier declaration failed.
 */
export function redeclared(acorn, code, names) {
  const edits = [];
  const before = { text: '', line: 1 };
  /** What has to be declared apart, since the word for it goes. */
  const others = { let: new Set(), var: new Set() };
  const tree = acorn.parse(code, OPTIONS);
  const last = tree.body.at(-1);
  const its = (node) => node.declarations.flatMap(({ id }) => namesIn(id));
  for (const node of tree.body) {
    if (node.type === 'FunctionDeclaration' && names.has(node.id.name)) {
      moveUp(code, node, before, edits);
    } else if (node.type === 'ClassDeclaration' && names.has(node.id.name)) {
      edits.push({ start: node.start, end: node.start, text: `${node.id.name} = ` });
      edits.push({ start: node.end, end: node.end, text: node === last ? '; void 0' : ';' });
    } else if (node.type === 'VariableDeclaration' && node.kind !== 'var' && its(node).some(({ name }) => names.has(name))) {
      for (const { name } of its(node)) if (!names.has(name)) others.let.add(name);
      assign(node, tree, edits, node === last);
    }
  }
  for (const { node, parent } of hoisted(tree)) {
    if (!its(node).some(({ name }) => names.has(name))) continue;
    for (const { name } of its(node)) {
      if (!names.has(name)) others.var.add(name);
      else if (names.get(name)) others.let.add(name);
    }
    assign(node, parent, edits, node === last);
  }
  if (edits.length === 0) return null;
  for (const [word, all] of Object.entries(others)) if (all.size > 0) before.text += `;${word} ${[...all].join(', ')};`;
  return { code: edited(code, edits), before: before.text };
}

/** A function is there before the code runs: its text goes before, to the same lines. */
function moveUp(code, node, before, edits) {
  const { start, end, id, loc } = node;
  const head = `let ${id.name} = `;
  const { line, column } = loc.start;
  if (line > before.line) before.text += `${'\n'.repeat(line - before.line - 1)}${head}\n${' '.repeat(column)}`;
  else before.text += head;
  before.text += `${code.slice(start, end)};`;
  before.line = loc.end.line;
  edits.push({ start, end, text: emptied(code, start, end) });
}

/** `var f = 2` as `f = 2`. */
function assign(node, parent, edits, last) {
  const { start, kind, declarations } = node;
  const each = parent.left === node;
  // Where statements follow each other the one before ends here.
  edits.push({ start, end: start + kind.length, text: (LIST.test(parent.type) ? ';' : '').padEnd(kind.length) });
  for (const { id, init, end } of declarations) {
    if (each) continue;
    const wrapped = id.type === 'ObjectPattern';
    if (wrapped) edits.push({ start: id.start, end: id.start, text: '(' });
    edits.push({ start: end, end, text: `${init ? '' : ' = void 0'}${wrapped ? ')' : ''}` });
  }
  if (last) edits.push({ start: node.end, end: node.end, text: '; void 0' });
}
