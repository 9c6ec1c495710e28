// Source maps: from a place in the text that ran to the place in the text that was sent.

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export class SourceMap {
  /** `map` is a source map of version 3 of one source: an object, or its JSON. */
  constructor(map) {
    const { mappings } = typeof map === 'string' ? JSON.parse(map) : map;
    let line = 0;
    let column = 0;
    /** For each line, where its pieces begin, and where these come from. */
    this.lines = mappings.split(';').map((text) => {
      let start = 0;
      const pieces = [];
      for (const piece of text ? text.split(',') : []) {
        const [moved, , down, right] = decoded(piece);
        start += moved;
        if (down === undefined) continue;
        line += down;
        column += right;
        pieces.push({ start, line, column });
      }
      return pieces;
    });
  }

  /** Where it comes from: `[line, column]`, both from 1. */
  original(line, column) {
    let found = null;
    for (const piece of this.lines[line - 1] ?? []) {
      if (piece.start > column - 1) break;
      found = piece;
    }
    return found === null ? [line, column] : [found.line + 1, found.column + 1];
  }
}

function decoded(text) {
  const numbers = [];
  let value = 0;
  let shift = 0;
  for (const each of text) {
    const digit = DIGITS.indexOf(each);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = shift = 0;
  }
  return numbers;
}
