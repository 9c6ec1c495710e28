// What a call declares at its top level, from its syntax tree.
//
// A name has up to three meanings in TypeScript: a value, a type, a namespace. They are kept apart, because
// `const User = …` in one call and `type User = z.infer<typeof User>` in the next are two things of one name.
import { K } from './tree.mjs';

const LET = 1;
const CONSTANT = 2 | 4;

/**
 * Every declared name with `{ value, type }` (by which kind of declaration; undefined where it has no such meaning),
 * and whether the call says something about the world outside of it (`declare global`, `declare module`).
 */
export function declared(tree) {
  const names = new Map();
  let outside = false;
  const add = (name, meanings) => {
    if (name) names.set(name, { ...names.get(name), ...meanings });
  };
  for (const statement of tree.list(tree.root, 'statements')) {
    switch (tree.kind(statement)) {
      case K.VariableStatement: {
        const list = tree.get(statement, 'declarationList');
        const how = tree.flags(list) & CONSTANT ? 'const' : tree.flags(list) & LET ? 'let' : 'var';
        for (const one of tree.list(list, 'declarations')) bind(tree, one, (name) => add(name, { value: how }));
        break;
      }
      case K.FunctionDeclaration:
        add(tree.name(statement), { value: 'function' });
        break;
      case K.ClassDeclaration:
        add(tree.name(statement), {
          value: 'class', type: 'class', parameters: parameters(tree, statement),
          abstract: tree.modifiers(statement).includes(K.AbstractKeyword),
        });
        break;
      case K.InterfaceDeclaration:
        add(tree.name(statement), { type: 'interface', exported: exported(tree, statement), parameters: parameters(tree, statement) });
        break;
      case K.TypeAliasDeclaration:
        add(tree.name(statement), { type: 'alias' });
        break;
      case K.EnumDeclaration: {
        const name = tree.name(statement);
        const members = (names.get(name)?.members ?? []).concat(tree.slice(statement).replace(/^[^{]*/, ''));
        const constant = tree.modifiers(statement).includes(K.ConstKeyword);
        add(name, { value: 'enum', type: 'enum', exported: exported(tree, statement), members, constant });
        break;
      }
      case K.ModuleDeclaration: {
        const name = tree.name(statement);
        if (!name || tree.slice(tree.get(statement, 'name')) === 'global' && !/^namespace/.test(tree.slice(statement))) {
          outside = true;
          break;
        }
        const inner = { ...names.get(name)?.inner, ...inside(tree, statement) };
        add(name, { value: names.get(name)?.value ?? 'namespace', type: names.get(name)?.type ?? 'namespace', exported: exported(tree, statement), inner });
        break;
      }
      case K.ImportDeclaration: {
        const clause = tree.get(statement, 'importClause');
        if (!clause) break;
        const both = { value: 'import', type: 'import' };
        add(tree.name(clause), both);
        const bindings = tree.get(clause, 'namedBindings');
        if (!bindings) break;
        if (tree.kind(bindings) === K.NamespaceImport) add(tree.name(bindings), both);
        else for (const one of tree.list(bindings, 'elements')) add(tree.name(one), both);
        break;
      }
      case K.ImportEqualsDeclaration:
        add(tree.name(statement), { value: 'import', type: 'import' });
        break;
    }
  }
  // `var` in blocks and loops is a name of the whole call as well.
  hoisted(tree, tree.root, (name) => { if (!names.get(name)?.value) add(name, { value: 'var' }); });
  return { names, outside };
}

/** Calls `add` with every name that a declaration's name or pattern binds. */
function bind(tree, declaration, add) {
  const name = tree.get(declaration, 'name');
  if (!name) return;
  if (tree.kind(name) === K.Identifier) add(tree.slice(name));
  else for (const element of tree.list(name, 'elements')) if (tree.kind(element) === K.BindingElement) bind(tree, element, add);
}

function hoisted(tree, node, add) {
  for (const child of tree.children(node)) {
    const kind = tree.kind(child);
    if (tree.isList(child)) hoisted(tree, child, add);
    else if (kind === K.VariableDeclarationList) {
      if (!(tree.flags(child) & (LET | CONSTANT))) for (const one of tree.list(child, 'declarations')) bind(tree, one, add);
    } else if (kind === K.Block || (kind >= K.IfStatement && kind <= K.TryStatement) || kind === K.CaseBlock
      || kind === K.CaseClause || kind === K.DefaultClause || kind === K.CatchClause) hoisted(tree, child, add);
  }
}

function exported(tree, statement) {
  return tree.modifiers(statement).includes(K.ExportKeyword);
}

/** The type parameters of a declaration as written, and their names alone. */
function parameters(tree, node) {
  const all = tree.list(node, 'typeParameters');
  if (all.length === 0) return { written: '', names: '' };
  return { written: `<${all.map((one) => tree.slice(one)).join(', ')}>`, names: `<${all.map((one) => tree.name(one)).join(', ')}>` };
}

/** What a namespace exports: name → whether it can be assigned. */
function inside(tree, module) {
  const block = tree.get(module, 'body');
  const names = {};
  if (!block || tree.kind(block) !== K.ModuleBlock) return names;
  for (const statement of tree.list(block, 'statements')) {
    if (!tree.modifiers(statement).includes(K.ExportKeyword)) continue;
    if (tree.kind(statement) === K.VariableStatement) {
      const list = tree.get(statement, 'declarationList');
      const fixed = Boolean(tree.flags(list) & CONSTANT);
      for (const one of tree.list(list, 'declarations')) bind(tree, one, (name) => { names[name] = fixed ? 'const' : 'let'; });
    } else if (tree.name(statement)) names[tree.name(statement)] = 'other';
  }
  return names;
}
