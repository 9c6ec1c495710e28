// Source maps: from a place in the text that ran to the place in the text that was sent.

import { max } from './safe.mjs';

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

/** The same for a text that ran with one character before its first line; `map` is that of what ran, if it has one. */
export class Shifted {
  constructor(map = null) {
    this.map = map;
  }

  original(line, column) {
    const [row, at] = this.map === null ? [line, column] : this.map.original(line, column);
    return [row, row === 1 ? max(1, at - 1) : at];
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
