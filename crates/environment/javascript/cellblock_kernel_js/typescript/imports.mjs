// Which imported names have to be looked at: those that are not said to be types, and yet might be.
import { K } from './tree.mjs';

const TYPE_ONLY = 1;

/** `{ node, position }` of every imported name that could be a type alone; the position is inside of the name. */
export function importedTypes(tree) {
  const wanted = [];
  for (const statement of tree.list(tree.root, 'statements')) {
    if (tree.kind(statement) !== K.ImportDeclaration) continue;
    const clause = tree.get(statement, 'importClause');
    if (!clause || tree.defined(clause) === TYPE_ONLY) continue;
    if (tree.get(clause, 'name')) wanted.push({ node: clause, position: tree.start(tree.get(clause, 'name')) });
    const bindings = tree.get(clause, 'namedBindings');
    if (!bindings || tree.kind(bindings) !== K.NamedImports) continue;
    for (const one of tree.list(bindings, 'elements')) {
      if (tree.defined(one) !== TYPE_ONLY) wanted.push({ node: one, position: tree.start(tree.get(one, 'name')) });
    }
  }
  return wanted;
}
