// TypeScript made JavaScript by putting blanks where types are: every position stays what it was, so errors, traces
// and `toString` of functions show what was written, and no source map is needed.
//
// Why two ways (this one, and esbuild's for what stands for code): it takes a fifth of the time and no process, and an
// error's column is right to the unit, where esbuild's map is right to the expression. Node's own
// `module.stripTypeScriptTypes` does the same, but Deno has nothing like it, and it reads a 3 MB WebAssembly module.
//
// What must stay true: where a line's end would mean something else once the type is gone (`x as T` before a line that
// begins with a bracket), and with whatever is not certain, `Unsure` is thrown and esbuild takes the text. Never guess.
import { K, skip } from './tree.mjs';

class Unsure extends Error {}

const TYPE_ONLY = 1;
const CONTINUES = /[([`+\-/<*]/;

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

class Strip {
  blanks = [];
  imports = [];

  constructor(tree, text, types) {
    this.tree = tree;
    this.text = text;
    this.types = types;
  }

  /** The text with `blanks`, of which each is `[start, end, first character or '']`. */
  result(blanks) {
    let out = '';
    let at = 0;
    for (const [start, end, first] of blanks.sort((a, b) => a[0] - b[0])) {
      if (start < at) throw new Unsure();
      out += this.text.slice(at, start) + first;
      out += this.text.slice(start + first.length, end).replace(/[^\n\r\u2028\u2029\t]/g, ' ');
      at = end;
    }
    return out + this.text.slice(at);
  }

  blank(start, end, first = '') {
    if (end > start) this.blanks.push([start, end, first]);
  }

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

  type(start, end) {
    this.blank(start, end);
    this.imports.push([start, end, '']);
  }

  /** Behind the comma that follows, if one does. */
  comma(end) {
    const next = skip(this.text, end);
    return this.text[next] === ',' ? next + 1 : end;
  }

  /** Blanks a list in angle brackets. */
  angles(list) {
    if (!list) return;
    const { tree, text } = this;
    const start = tree.pos(list) - 1;
    let end = skip(text, tree.end(list));
    if (text[end] === ',') end = skip(text, end + 1);
    if (text[start] !== '<' || text[end] !== '>') throw new Unsure();
    this.blank(start, end + 1);
    this.angled = [start, end + 1];
  }

  /** Blanks a type and the colon before it. */
  annotation(node) {
    const type = this.tree.get(node, 'type');
    if (!type) return;
    const colon = this.tree.pos(type) - 1;
    if (this.text[colon] !== ':') throw new Unsure();
    this.blank(colon, this.tree.end(type));
  }

  token(node, name) {
    const token = this.tree.get(node, name);
    if (token) this.blank(this.tree.start(token), this.tree.end(token));
  }

  /** Refuses if the line behind `end` would go on with what ends there now. */
  last(end) {
    const next = skip(this.text, end);
    if (CONTINUES.test(this.text[next] ?? '') && /[\n\r\u2028\u2029]/.test(this.text.slice(end, next))) throw new Unsure();
  }

  visitAll(node, ...names) {
    for (const name of names) {
      const child = this.tree.get(node, name);
      if (child) this.visit(child);
    }
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

  callable(node) {
    const { tree, text } = this;
    const arrow = tree.kind(node) === K.ArrowFunction;
    const parameters = tree.get(node, 'typeParameters');
    this.angles(parameters);
    if (arrow && parameters && /[\n\r]/.test(text.slice(...this.angled))) throw new Unsure();
    this.token(node, 'postfixToken');
    this.visitAll(node, 'name');
    for (const parameter of tree.list(node, 'parameters')) this.parameter(parameter);
    const type = tree.get(node, 'type');
    this.annotation(node);
    // No line may end between an arrow function's parameters and its arrow.
    if (arrow && type && /[\n\r\u2028\u2029]/.test(text.slice(tree.pos(type), tree.start(tree.get(node, 'equalsGreaterThanToken'))))) {
      throw new Unsure();
    }
    this.visitAll(node, 'body');
  }

  parameter(node) {
    const { tree } = this;
    if (tree.get(node, 'modifiers')) throw new Unsure();
    const name = tree.get(node, 'name');
    if (tree.slice(name) === 'this') return this.blank(tree.start(node), this.comma(tree.end(node)));
    this.token(node, 'questionToken');
    this.annotation(node);
    return this.visitAll(node, 'name', 'initializer');
  }

  classLike(node) {
    const { tree } = this;
    for (const modifier of tree.list(node, 'modifiers')) {
      if (tree.kind(modifier) === K.Decorator) throw new Unsure();
      if (tree.kind(modifier) === K.AbstractKeyword) this.blank(tree.start(modifier), tree.end(modifier));
    }
    this.angles(tree.get(node, 'typeParameters'));
    for (const clause of tree.list(node, 'heritageClauses')) {
      if (/^implements\b/.test(tree.slice(clause))) this.blank(tree.start(clause), tree.end(clause));
      else this.visit(clause);
    }
    for (const member of tree.list(node, 'members')) this.member(member);
  }

  member(node) {
    const { tree, text } = this;
    const kind = tree.kind(node);
    const modifiers = tree.list(node, 'modifiers');
    const kinds = modifiers.map((one) => tree.kind(one));
    if (kinds.includes(K.Decorator) || kinds.includes(K.AccessorKeyword)) throw new Unsure();
    const callable = [K.MethodDeclaration, K.Constructor, K.GetAccessor, K.SetAccessor].includes(kind);
    if (kind === K.IndexSignature || kinds.includes(K.AbstractKeyword) || kinds.includes(K.DeclareKeyword)
      || (callable && !tree.get(node, 'body'))) {
      return this.blank(tree.start(node), tree.end(node), ';');
    }
    const words = [K.PublicKeyword, K.PrivateKeyword, K.ProtectedKeyword, K.ReadonlyKeyword, K.OverrideKeyword];
    modifiers.forEach((modifier, at) => {
      if (!words.includes(tree.kind(modifier))) return;
      this.blank(tree.start(modifier), tree.end(modifier), at === 0 ? ';' : '');
    });
    if (callable) return this.callable(node);
    if (kind !== K.PropertyDeclaration) return this.visit(node);
    const type = tree.get(node, 'type') || tree.get(node, 'postfixToken');
    const initializer = tree.get(node, 'initializer');
    if (type && !initializer && /^(get|set|static|async|accessor)$/.test(tree.slice(tree.get(node, 'name')))) throw new Unsure();
    this.visitAll(node, 'name', 'initializer');
    this.token(node, 'postfixToken');
    this.annotation(node);
    if (type && !initializer && text[tree.end(node) - 1] !== ';') this.last(tree.end(node));
    return undefined;
  }
}
