// The blanks that are put into a text, and what is asked of its tokens.
import { skip } from './tree.mjs';

/** Whatever cannot be blanked out for certain. */
export class Unsure extends Error {}

/** What would go on with a line that ends before it. */
const CONTINUES = /[([`+\-/<*]/;

export class Blanks {
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
}
