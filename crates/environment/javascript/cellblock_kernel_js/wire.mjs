// Frames over the one socket that a kernel has. The layout is the `protocol` crate's; the other end is the cell's init.

import { Bytes, bytesOf, charCode, encode, encodeInto, setBytes, slice } from './safe.mjs';

export const RUN = 0x60;
export const CANCEL = 0x61;
export const READY = 0x80;
export const STDOUT = 0x81;
export const STDERR = 0x82;
export const DISPLAY = 0x83;
export const RESULT = 0x84;
export const DONE = 0x85;

/** Magic, version, kind, length of the payload, subject (always 0 here), call. */
export const HEADER = 28;
export const NO_CALL = new Bytes(16);
/** The longest payload of a frame that this end takes for one: the protocol's limit. */
export const PAYLOAD_LIMIT = 32 << 20;

/** Characters of text, or bytes, in one frame of output. A longer text goes out in pieces, so that it needs no second copy. */
const PIECE = 256 << 10;
const SMALL = 16 << 10;
const small = new Bytes(HEADER + 3 * SMALL);

function header(frame, kind, call, length) {
  frame[0] = 0x43;
  frame[1] = 0x42;
  frame[2] = 1;
  frame[3] = kind;
  frame[4] = length & 0xff;
  frame[5] = (length >>> 8) & 0xff;
  frame[6] = (length >>> 16) & 0xff;
  frame[7] = length >>> 24;
  frame[8] = frame[9] = frame[10] = frame[11] = 0;
  setBytes(frame, call, 12);
}

/** A whole frame. */
export function pack(kind, call, payload) {
  const frame = new Bytes(HEADER + payload.length);
  header(frame, kind, call, payload.length);
  setBytes(frame, payload, HEADER);
  return frame;
}

/** A frame whose payload is this text. */
export const packText = (kind, call, text) => pack(kind, call, encode(text));

/** What a header says: `{ kind, call, length }`, or null if it is none. The bytes of `call` are copied. */
export function readHeader(bytes) {
  if (bytes[0] !== 0x43 || bytes[1] !== 0x42 || bytes[2] !== 1) return null;
  const length = (bytes[4] | (bytes[5] << 8) | (bytes[6] << 16) | (bytes[7] << 24)) >>> 0;
  if (length > PAYLOAD_LIMIT) return null;
  return { kind: bytes[3], call: new Bytes(bytesOf(bytes, 12, HEADER)), length };
}

export function sameCall(one, other) {
  for (let at = 0; at < 16; at += 1) if (one[at] !== other[at]) return false;
  return true;
}

/** Gives `write` the frames of a text or of bytes. The bytes given are only good until `write` returns. */
export function packOutput(kind, call, chunk, write) {
  if (typeof chunk !== 'string') {
    for (let at = 0; at < chunk.length; at += PIECE) write(pack(kind, call, bytesOf(chunk, at, at + PIECE)));
    return;
  }
  let frame = small;
  let piece = SMALL;
  if (chunk.length > SMALL) {
    piece = PIECE;
    frame = new Bytes(HEADER + 3 * (chunk.length < PIECE ? chunk.length : PIECE));
  }
  for (let at = 0; at < chunk.length; ) {
    let end = at + piece < chunk.length ? at + piece : chunk.length;
    // A pair of surrogates is one character.
    if (end < chunk.length && (charCode(chunk, end - 1) & 0xfc00) === 0xd800) end -= 1;
    const part = at === 0 && end === chunk.length ? chunk : slice(chunk, at, end);
    const { written } = encodeInto(part, bytesOf(frame, HEADER));
    header(frame, kind, call, written);
    write(bytesOf(frame, 0, HEADER + written));
    at = end;
  }
}
