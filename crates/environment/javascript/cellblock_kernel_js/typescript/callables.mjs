// Functions, classes and their members without types.
import { Blanks, Unsure } from './blanks.mjs';
import { K } from './tree.mjs';

export class Callables extends Blanks {
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
