// TypeScript made JavaScript by putting blanks where types are: every position stays what it was, so errors, traces
// and `toString` of functions show what was written, and no source map is needed.
//
// Why two ways (this one, and esbuild's for what stands for code): it takes a fifth of the time and no process, and an
// error's column is right to the unit, where esbuild's map is right to the expression. Node's own
// `module.stripTypeScriptTypes` does the same, but Deno has nothing like it, and it reads a 3 MB WebAssembly module.
//
// What must stay true: where a line's end would mean something else once the type is gone (`x as T` before a line that
// begins with a bracket), and with whatever is not certain, `Unsure` is thrown and esbuild takes the text. Never guess.
import { Callables } from './callables.mjs';
import { Unsure } from './blanks.mjs';
import { K } from './tree.mjs';

const TYPE_ONLY = 1;

/**
 * Gives `{ javascript, whole }`. If not `whole`, esbuild has to translate what is given, in which only imports of
 * types are blanks by now: `types` are the imported names that are types without being called so.
 */
export function stripped(tree, text, types) {
  const strip = new Strip(tree, text, types);
  try {
    strip.statements(tree.get(tree.root, 'statements'));
    return { javascript: strip.result(strip.blanks), whole: true };
  } catch (error) {
    if (!(error instanceof Unsure || error instanceof RangeError)) throw error;
    strip.imports = [];
    for (const one of tree.list(tree.root, 'statements')) if (tree.kind(one) === K.ImportDeclaration) strip.import(one);
    return { javascript: strip.result(strip.imports), whole: false };
  }
}

class Strip extends Callables {
  statements(list) {
    const { tree, text } = this;
    // Whether what stands before ends for certain, so that nothing put in its place can become a part of it.
    let ended = true;
    for (const statement of tree.children(list)) {
      if (this.gone(statement)) {
        this.blank(tree.start(statement), tree.end(statement), ended ? '' : ';');
        ended = true;
      } else {
        this.visit(statement);
        ended = text[tree.end(statement) - 1] === ';' || this.closed(tree.kind(statement));
      }
    }
  }

  /** Whether statements of a kind end with their last brace. */
  closed(kind) {
    return [K.FunctionDeclaration, K.ClassDeclaration, K.Block, K.TryStatement, K.SwitchStatement].includes(kind);
  }

  /** Whether a statement says nothing at run time. */
  gone(node) {
    const { tree } = this;
    switch (tree.kind(node)) {
      case K.InterfaceDeclaration:
      case K.TypeAliasDeclaration:
      case K.NamespaceExportDeclaration:
        return true;
      case K.ModuleDeclaration:
        if (this.declares(node) || this.onlyTypes(node)) return true;
        throw new Unsure();
      case K.EnumDeclaration:
        if (this.declares(node)) return true;
        throw new Unsure();
      case K.ImportEqualsDeclaration:
        if (/^(export\s+)?import\s+type\s+[^=]/.test(tree.slice(node))) return true;
        throw new Unsure();
      case K.FunctionDeclaration:
        return this.declares(node) || !tree.get(node, 'body');
      case K.VariableStatement:
      case K.ClassDeclaration:
        return this.declares(node);
      case K.ExportDeclaration:
        return tree.defined(node) === TYPE_ONLY;
      default:
        return false;
    }
  }

  declares(node) { return this.tree.modifiers(node).includes(K.DeclareKeyword); }

  /** Whether a namespace has nothing but types in it. */
  onlyTypes(node) {
    const { tree } = this;
    const body = tree.get(node, 'body');
    if (!body || tree.kind(body) !== K.ModuleBlock) return false;
    return tree.list(body, 'statements').every((one) => [K.InterfaceDeclaration, K.TypeAliasDeclaration].includes(tree.kind(one))
      || (tree.kind(one) === K.ModuleDeclaration && this.onlyTypes(one)));
  }

  /** An import without its types; all of it, if it brings nothing else. */
  import(node) {
    const { tree } = this;
    const clause = tree.get(node, 'importClause');
    if (!clause) return;
    const all = () => this.type(tree.start(node), tree.end(node));
    if (tree.defined(clause) === TYPE_ONLY) return void all();
    const bindings = tree.get(clause, 'namedBindings');
    const named = bindings && tree.kind(bindings) === K.NamedImports ? tree.list(bindings, 'elements') : [];
    const types = named.filter((one) => tree.defined(one) === TYPE_ONLY || this.types.has(one));
    const name = tree.get(clause, 'name');
    const nameIsType = name && this.types.has(clause);
    const star = bindings && tree.kind(bindings) === K.NamespaceImport;
    if (types.length === named.length && (!name || nameIsType) && !star && (named.length || name)) return void all();
    if (nameIsType) this.type(tree.start(name), this.comma(tree.end(name)));
    for (const one of types) this.type(tree.start(one), this.comma(tree.end(one)));
  }

  visit(node) {
    const { tree, text } = this;
    switch (tree.kind(node)) {
      case K.Block:
      case K.CaseClause:
      case K.DefaultClause: {
        const all = tree.children(node);
        for (const child of all) tree.isList(child) ? this.statements(child) : this.visit(child);
        return;
      }
      case K.Decorator:
        throw new Unsure();
      case K.VariableDeclaration: {
        const type = tree.get(node, 'type');
        this.visitAll(node, 'name', 'initializer');
        this.token(node, 'exclamationToken');
        this.annotation(node);
        if (type && !tree.get(node, 'initializer')) this.last(tree.end(type));
        return;
      }
      case K.FunctionDeclaration:
      case K.FunctionExpression:
      case K.ArrowFunction:
      case K.MethodDeclaration:
      case K.Constructor:
      case K.GetAccessor:
      case K.SetAccessor:
        return this.callable(node);
      case K.ClassDeclaration:
      case K.ClassExpression:
        return this.classLike(node);
      case K.AsExpression:
      case K.SatisfiesExpression:
        this.visitAll(node, 'expression');
        this.blank(tree.end(tree.get(node, 'expression')), tree.end(node));
        return this.last(tree.end(node));
      case K.NonNullExpression:
        this.visitAll(node, 'expression');
        return this.blank(tree.end(node) - 1, tree.end(node));
      case K.TypeAssertionExpression: {
        const inner = tree.start(tree.get(node, 'expression'));
        const start = tree.start(node);
        if (/^(\{|function|class|async|let\b)/.test(text.slice(inner, inner + 9)) || /[\n\r]/.test(text.slice(start, inner))) throw new Unsure();
        this.blank(start, inner);
        return this.visitAll(node, 'expression');
      }
      case K.ExpressionWithTypeArguments:
        this.visitAll(node, 'expression');
        if (tree.get(node, 'typeArguments')) {
          this.angles(tree.get(node, 'typeArguments'));
          this.last(tree.end(node));
        }
        return;
      case K.CallExpression:
      case K.NewExpression:
      case K.TaggedTemplateExpression:
        this.angles(tree.get(node, 'typeArguments'));
        return this.visitAll(node, 'expression', 'tag', 'arguments', 'template');
      case K.ExportAssignment:
        if (!/^export\s+default\b/.test(tree.slice(node))) throw new Unsure();
        return this.visitAll(node, 'expression');
      case K.ExportDeclaration: {
        const named = tree.get(node, 'exportClause');
        if (named && tree.kind(named) === K.NamedExports) {
          for (const one of tree.list(named, 'elements')) {
            if (tree.defined(one) === TYPE_ONLY) this.blank(tree.start(one), this.comma(tree.end(one)));
          }
        }
        return;
      }
      case K.ImportDeclaration:
        return this.import(node);
      case K.EnumDeclaration:
      case K.ModuleDeclaration:
      case K.ImportEqualsDeclaration:
      case K.InterfaceDeclaration:
      case K.TypeAliasDeclaration:
        throw new Unsure();
      default:
        for (const child of tree.children(node)) this.visit(child);
    }
  }
}
