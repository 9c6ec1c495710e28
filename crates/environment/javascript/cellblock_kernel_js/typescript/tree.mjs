// The syntax tree of a file, read out of the bytes in which TypeScript's server sends it.
//
// The package's own reader is not used: it needs a third of the time of a whole first check to be loaded, and Deno
// does not load it at all ("#enums/…" is resolved for npm packages only). The layout is that of protocol version 5;
// another version is refused with a sentence, never guessed at.
//
// A node is its number. Every node is 28 bytes: kind, start, end, next sibling, parent, data, flags. The first child
// stands right behind its parent. Positions are UTF-16 units, and a start includes the blanks and comments before.
import { pathToFileURL } from 'node:url';

const LAYOUT = 5;
const SIZE = 28;
const LIST = 0xffffffff;

// Which children a kind can have, in the order of the bits that say which are there. Only kinds that are looked into.
const CHILDREN = {
  SourceFile: 'statements endOfFileToken',
  VariableStatement: 'modifiers declarationList',
  VariableDeclarationList: 'declarations',
  VariableDeclaration: 'name exclamationToken type initializer',
  ObjectBindingPattern: 'elements',
  ArrayBindingPattern: 'elements',
  BindingElement: 'dotDotDotToken propertyName name initializer',
  Parameter: 'modifiers dotDotDotToken name questionToken type initializer',
  FunctionDeclaration: 'modifiers asteriskToken name typeParameters parameters type body',
  FunctionExpression: 'modifiers asteriskToken name typeParameters parameters type body',
  ArrowFunction: 'modifiers typeParameters parameters type equalsGreaterThanToken body',
  MethodDeclaration: 'modifiers asteriskToken name postfixToken typeParameters parameters type body',
  Constructor: 'modifiers typeParameters parameters type body',
  GetAccessor: 'modifiers name typeParameters parameters type body',
  SetAccessor: 'modifiers name typeParameters parameters type body',
  IndexSignature: 'modifiers parameters type',
  PropertyDeclaration: 'modifiers name postfixToken type initializer',
  ClassDeclaration: 'modifiers name typeParameters heritageClauses members',
  ClassExpression: 'modifiers name typeParameters heritageClauses members',
  HeritageClause: 'types',
  ExpressionWithTypeArguments: 'expression typeArguments',
  InterfaceDeclaration: 'modifiers name typeParameters heritageClauses members',
  TypeParameter: 'modifiers name constraint expression defaultType',
  TypeAliasDeclaration: 'modifiers name typeParameters type',
  EnumDeclaration: 'modifiers name members',
  EnumMember: 'name initializer',
  ModuleDeclaration: 'modifiers name body',
  ModuleBlock: 'statements',
  ImportDeclaration: 'modifiers importClause moduleSpecifier attributes',
  ImportClause: 'name namedBindings',
  NamespaceImport: 'name',
  NamedImports: 'elements',
  ImportSpecifier: 'propertyName name',
  ImportEqualsDeclaration: 'modifiers name moduleReference',
  ExportDeclaration: 'modifiers exportClause moduleSpecifier attributes',
  NamedExports: 'elements',
  ExportSpecifier: 'propertyName name',
  ExportAssignment: 'modifiers type expression',
  AsExpression: 'expression type',
  SatisfiesExpression: 'expression type',
  TypeAssertionExpression: 'type expression',
  CallExpression: 'expression questionDotToken typeArguments arguments',
  NewExpression: 'expression typeArguments arguments',
  TaggedTemplateExpression: 'tag questionDotToken typeArguments template',
  NonNullExpression: 'expression',
  ExpressionStatement: 'expression',
};

/** Numbers of kinds by their names; set by `load`. */
export let K;
let children;

/** Reads the numbers of kinds from the TypeScript that lies in `libraries`. */
export async function load(libraries) {
  if (K) return;
  const file = `${libraries}/typescript/dist/enums/syntaxKind.enum.js`;
  const kinds = (await import(pathToFileURL(file).href)).SyntaxKind;
  children = new Map();
  for (const [kind, names] of Object.entries(CHILDREN)) {
    const bits = new Map();
    names.split(' ').forEach((name, bit) => bits.set(name, bit));
    children.set(kinds[kind], bits);
  }
  K = kinds;
}

export class Tree {
  /** `data` is what `getSourceFile` answered, `text` the file's text. */
  constructor(data, text) {
    const bytes = Buffer.from(data, 'base64');
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const layout = this.view.getUint32(0, true) >>> 24;
    if (layout !== LAYOUT) {
      throw new Error(`TypeScript speaks layout ${layout} of syntax trees, and this kernel knows ${LAYOUT}`);
    }
    this.nodes = this.view.getUint32(40, true);
    this.text = text;
    this.root = 1;
    /** One more than the last node. */
    this.count = (this.view.byteLength - this.nodes) / SIZE;
  }

  kind(node) { return this.view.getUint32(this.nodes + node * SIZE, true); }
  pos(node) { return this.view.getInt32(this.nodes + node * SIZE + 4, true); }
  end(node) { return this.view.getInt32(this.nodes + node * SIZE + 8, true); }
  next(node) { return this.view.getUint32(this.nodes + node * SIZE + 12, true); }
  parent(node) { return this.view.getUint32(this.nodes + node * SIZE + 16, true); }
  data(node) { return this.view.getUint32(this.nodes + node * SIZE + 20, true); }
  flags(node) { return this.view.getUint32(this.nodes + node * SIZE + 24, true); }

  first(node) {
    const at = this.nodes + (node + 1) * SIZE;
    if (at >= this.view.byteLength) return 0;
    return this.parent(node + 1) === node ? node + 1 : 0;
  }

  /** Children as they are stored; lists of nodes are nodes themselves. */
  children(node) {
    const all = [];
    for (let child = this.first(node); child; child = this.next(child)) all.push(child);
    return all;
  }

  /** The first node of one of these kinds, or 0. */
  find(kinds) {
    for (let node = 1; node < this.count; node += 1) if (kinds.includes(this.kind(node))) return node;
    return 0;
  }

  isList(node) { return this.kind(node) === LIST; }

  /** The child called `name`, or 0. */
  get(node, name) {
    const bit = children.get(this.kind(node))?.get(name);
    if (bit === undefined) return 0;
    // A file has both of its children, and keeps other things where the bits would be.
    const mask = node === this.root ? 3 : this.data(node) & 0xff;
    if (!(mask & (1 << bit))) return 0;
    let child = this.first(node);
    for (let before = mask & ((1 << bit) - 1); before; before &= before - 1) child = this.next(child);
    return child;
  }

  /** The members of the list called `name`; none if it is not there. */
  list(node, name) {
    const list = this.get(node, name);
    return list ? this.children(list) : [];
  }

  /** The first of the small numbers that some kinds carry: `type` of an import is 1. */
  defined(node) { return (this.data(node) >>> 24) & 0x3f; }

  modifiers(node) { return this.list(node, 'modifiers').map((one) => this.kind(one)); }

  /** Where the node's own first character is. */
  start(node) { return skip(this.text, this.pos(node)); }

  slice(node) { return this.text.slice(this.start(node), this.end(node)); }

  /** The name that a declaration declares, if it is a plain one. */
  name(node) {
    const name = this.get(node, 'name');
    return name && this.kind(name) === K.Identifier ? this.slice(name) : undefined;
  }
}

const BLANK = /[\s\ufeff]/;

/** The first position from `at` on that is neither blank nor in a comment. */
export function skip(text, at) {
  for (;;) {
    while (at < text.length && BLANK.test(text[at])) at += 1;
    if (text[at] === '#' && at === 0 && text[1] === '!') at = lineEnd(text, at);
    else if (text[at] !== '/') return at;
    else if (text[at + 1] === '/') at = lineEnd(text, at);
    else if (text[at + 1] === '*') {
      const end = text.indexOf('*/', at + 2);
      at = end < 0 ? text.length : end + 2;
    } else return at;
  }
}

function lineEnd(text, at) {
  while (at < text.length && !/[\n\r\u2028\u2029]/.test(text[at])) at += 1;
  return at;
}
