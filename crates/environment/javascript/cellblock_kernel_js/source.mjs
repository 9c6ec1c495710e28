// Rewriting of what an evaluated text may not hold: `import`, `export`, and declarations that exist in another form.
//
// What must stay true: whatever is not rewritten stays at its line and column, because tracebacks and the excerpts in
// them speak of the text that was sent. So a word is replaced by one of the same length, a statement by blanks, and
// what comes in their place is evaluated as a text of its own before. Only where a declaration comes again in another
// form (a class that was a function) may the rest of its line move.

/** Stands for the word `import` in `import(…)` and `import.meta`: a global, of the same length. */
export const IMPORT = 'ımport';
const OPTIONS = {
  ecmaVersion: 'latest',
  sourceType: 'script',
  locations: true,
  allowImportExportEverywhere: true,
  allowAwaitOutsideFunction: true,
  allowHashBang: true,
};

/** Blanks of the same shape: lines stay lines. */
const blank = (text) => text.replace(/[^\n\r\u2028\u2029]/g, ' ');

function edited(code, edits) {
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
function emptied(code, start, end) {
  return `;${blank(code.slice(start + 1, end))}`;
}

function importOf(node, names) {
  const attributes = {};
  for (const { key, value } of node.attributes ?? []) attributes[nameOf(key)] = value.value;
  const { line, column } = node.source.loc.start;
  return { specifier: node.source.value, attributes, names, line, column: column + 1 };
}

function walk(node, visit) {
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
      text += `${assigned.has(local) ? '' : 'const '}${local} = ${from};\n`;
    }
  });
  return text;
}

/**
 * The text so that it declares names anew that exist in another form: `{ code, before }`, where `before` is to be
 * evaluated first; or null if it cannot be done. `forms` says for each name which form to try: `const`, `let`, or ''
 * for an assignment.
 *
 * The language keeps three kinds of names in the global scope (`const`; `let` and `class`; `var` and `function`), and
 * refuses a name that comes again as another kind. Whoever works in a session replaces a function by a constant all the
 * same. A constant stays one.
 */
export function redeclared(acorn, code, forms) {
  const edits = [];
  const before = { text: '', line: 1 };
  const tree = acorn.parse(code, OPTIONS);
  let found = false;
  for (const node of tree.body) {
    const last = node === tree.body.at(-1);
    const loop = node.init ?? node.left;
    if (node.type === 'FunctionDeclaration' && forms.has(node.id.name)) {
      moveUp(code, node, forms.get(node.id.name), before, edits);
    } else if (node.type === 'ClassDeclaration' && forms.has(node.id.name)) {
      const form = forms.get(node.id.name);
      edits.push({ start: node.start, end: node.start, text: `${form && `${form} `}${node.id.name} = ` });
      edits.push({ start: node.end, end: node.end, text: last && form === '' ? '; void 0' : ';' });
    } else if (node.type === 'VariableDeclaration' && formOf(node, forms) !== null) {
      declareAs(node, formOf(node, forms), edits, last);
    } else if (loop?.type === 'VariableDeclaration' && loop.kind === 'var' && formOf(loop, forms) !== null) {
      edits.push({ start: loop.start, end: loop.start + 3, text: 'let' });
    } else {
      continue;
    }
    found = true;
  }
  if (!found) return null;
  return { code: edited(code, edits), before: before.text };
}

/** A function is there before the code runs: its text goes before, to the same lines. */
function moveUp(code, node, form, before, edits) {
  const { start, end, id, loc } = node;
  const head = `${form && `${form} `}${id.name} = `;
  const { line, column } = loc.start;
  if (line > before.line) before.text += `${'\n'.repeat(line - before.line - 1)}${head}\n${' '.repeat(column)}`;
  else before.text += head;
  before.text += `${code.slice(start, end)};`;
  before.line = loc.end.line;
  edits.push({ start, end, text: emptied(code, start, end) });
}

/** `var f = 2` as `const f = 2`, or as `f = 2`. */
function declareAs(node, form, edits, last) {
  const { start, kind, declarations } = node;
  const word = form === '' ? ';' : form;
  edits.push({ start, end: start + kind.length, text: word.padEnd(kind.length) });
  for (const { id, init, end } of declarations) {
    const wrapped = form === '' && id.type === 'ObjectPattern';
    if (wrapped) edits.push({ start: id.start, end: id.start, text: '(' });
    edits.push({ start: end, end, text: `${init ? '' : ' = void 0'}${wrapped ? ')' : ''}` });
  }
  if (last && form === '') edits.push({ start: node.end, end: node.end, text: '; void 0' });
}

/** The form for a declaration of several names: the one that was tried last. */
function formOf(declaration, forms) {
  let form = null;
  for (const { id } of declaration.declarations) {
    walk(id, (node) => {
      if (node.type !== 'Identifier' || !forms.has(node.name)) return;
      const its = forms.get(node.name);
      if (form === null || its.length < form.length) form = its;
    });
  }
  return form;
}

/** Whether the code changes what has this name. */
export function changes(acorn, code, name) {
  let found = false;
  walk(acorn.parse(code, OPTIONS), (node) => {
    const target = node.type === 'AssignmentExpression' ? node.left : node.type === 'UpdateExpression' ? node.argument : null;
    if (target?.type === 'Identifier' && target.name === name) found = true;
  });
  return found;
}
