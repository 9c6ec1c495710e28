// Rewriting of what an evaluated text may not hold: `import` and `export`. (declarations.mjs: declarations.)
//
// What must stay true: whatever is not rewritten stays at its line and column, because tracebacks and the excerpts in
// them speak of the text that was sent. So a word is replaced by one of the same length, a statement by blanks, and
// what comes in their place is evaluated as a text of its own before.

/** Stands for the word `import` in `import(…)` and `import.meta`: a global, of the same length. */
export const IMPORT = 'ımport';
export const OPTIONS = {
  ecmaVersion: 'latest',
  sourceType: 'script',
  locations: true,
  allowImportExportEverywhere: true,
  allowAwaitOutsideFunction: true,
  allowHashBang: true,
};

/** A cell that is an object, as an expression; what closes it stands behind the last line, which may end in a comment. */
export const inParentheses = (code) => `(${code}\n)`;

/** Whether the text is one expression, and can be put in parentheses. */
export function isObject(acorn, code) {
  const text = inParentheses(code);
  try {
    const { body } = acorn.parse(text, { ...OPTIONS, preserveParens: true });
    return body.length === 1 && body[0].expression?.type === 'ParenthesizedExpression' && body[0].expression.end === text.length;
  } catch {
    return false;
  }
}

/** Blanks of the same shape: lines stay lines. */
export const blank = (text) => text.replace(/[^\n\r\u2028\u2029]/g, ' ');

export function edited(code, edits) {
  let result = '';
  let at = 0;
  for (const { start, end, text } of edits.sort((one, other) => one.start - other.start || one.end - other.end)) {
    result += code.slice(at, start) + text;
    at = end;
  }
  return result + code.slice(at);
}

/**
 * The text without imports and exports, and what it imports:
 * `{ code, imports: [{ specifier, attributes, names: [{ imported, local }], line, column }] }`; `imported` is null for
 * all of the module.
 */
export function withoutModules(acorn, code) {
  const edits = [];
  const imports = [];
  const rename = (start) => edits.push({ start, end: start + 6, text: IMPORT });
  const tree = acorn.parse(code, OPTIONS);
  walk(tree, (node) => {
    if (node.type === 'ImportExpression') rename(node.start);
    else if (node.type === 'MetaProperty' && node.meta.name === 'import') rename(node.start);
    else for (const start of importsInText(acorn, node)) rename(start);
  });
  for (const node of tree.body) {
    const { start, end } = node;
    switch (node.type) {
      case 'ImportDeclaration':
        imports.push(importOf(node, node.specifiers.map((each) => ({
          imported: each.type === 'ImportNamespaceSpecifier' ? null : each.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(each.imported),
          local: each.local.name,
        }))));
        edits.push({ start, end, text: emptied(code, start, end) });
        break;
      case 'ExportAllDeclaration':
        imports.push(importOf(node, []));
        edits.push({ start, end, text: emptied(code, start, end) });
        break;
      case 'ExportNamedDeclaration':
        if (node.declaration) {
          edits.push({ start, end: node.declaration.start, text: emptied(code, start, node.declaration.start) });
        } else {
          if (node.source) {
            // Whether the module has these names is looked at all the same.
            imports.push(importOf(node, node.specifiers.map((each) => ({ imported: nameOf(each.local), local: null }))));
          }
          edits.push({ start, end, text: emptied(code, start, end) });
        }
        break;
      case 'ExportDefaultDeclaration': {
        const { declaration } = node;
        const named = declaration.id != null;
        const text = emptied(code, start, declaration.start);
        // Without a name it is an expression, and nothing that begins a statement may come first.
        const begun = /^(?:Function|Class)Declaration$/.test(declaration.type) && !named ? `;0,${text.slice(3)}` : text;
        edits.push({ start, end: declaration.start, text: begun });
        break;
      }
    }
  }
  return { code: edited(code, edits), imports };
}

/** What evaluates a text in the global scope, or in the one where it is called. */
const EVALUATES = /^(?:eval|(?:Async)?(?:Generator)?Function|runInThisContext)$/;

/**
 * Where the word stands in `import(…)` of a text that is evaluated where it is written: `new Function('return import(…)')`.
 * No runtime resolves it as one of the code around it; a text that comes from elsewhere we do not see.
 */
function importsInText(acorn, node) {
  if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return [];
  let { callee } = node;
  if (callee.type === 'SequenceExpression') callee = callee.expressions.at(-1);
  if (callee.type === 'MemberExpression') callee = callee.property;
  if (callee.type !== 'Identifier' || !EVALUATES.test(callee.name)) return [];
  const given = node.arguments[callee.name.endsWith('Function') ? node.arguments.length - 1 : 0];
  const text = given?.type === 'TemplateLiteral' ? given.quasis[0].value.raw : given?.raw?.slice(1, -1);
  const value = given?.type === 'TemplateLiteral' && given.quasis.length === 1 ? given.quasis[0].value.cooked : given?.value;
  // With escapes or expressions in it, its places are others.
  if (text === undefined || text !== value || !text.includes('import')) return [];
  const found = [];
  try {
    walk(acorn.parse(text, { ...OPTIONS, allowReturnOutsideFunction: true }), (inner) => {
      if (inner.type === 'ImportExpression') found.push(given.start + 1 + inner.start);
    });
  } catch {
    // Whoever evaluates it says so.
  }
  return found;
}

const nameOf = (node) => (node.type === 'Literal' ? node.value : node.name);

/** An empty statement of that length: what stood before without a semicolon ends here. */
export function emptied(code, start, end) {
  return `;${blank(code.slice(start + 1, end))}`;
}

function importOf(node, names) {
  const attributes = {};
  for (const { key, value } of node.attributes ?? []) attributes[nameOf(key)] = value.value;
  const { line, column } = node.source.loc.start;
  return { specifier: node.source.value, attributes, names, line, column: column + 1 };
}

export function walk(node, visit) {
  const todo = [node];
  while (todo.length > 0) {
    const each = todo.pop();
    if (typeof each.type === 'string') visit(each);
    for (const key in each) {
      const value = each[key];
      if (value !== null && typeof value === 'object' && key !== 'loc' && !(value instanceof RegExp)) todo.push(value);
    }
  }
}

/** A text that declares what a module gave, from the list of namespaces that a global of this name holds. */
export function declarationsOf(imports, global, assigned) {
  let text = '';
  imports.forEach(({ names }, at) => {
    for (const { imported, local } of names) {
      if (local === null) continue;
      const from = `${global}[${at}]${imported === null ? '' : `[${JSON.stringify(imported)}]`}`;
      text += `${assigned.has(local) ? '' : 'let '}${local} = ${from};\n`;
    }
  });
  return text;
}
