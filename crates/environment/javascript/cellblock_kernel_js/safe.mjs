// What the kernel uses of the language's library, taken before any code of the user's has run.
//
// What must stay true: code that overwrites `JSON.stringify`, `Array.prototype.map`, `Promise` or `globalThis.console`
// breaks itself and not the kernel. So the kernel's modules use these functions, operators, classes, plain loops and
// `await` (which asks no `then` of a native promise), and no methods of prototypes between calls. Arrays are neither
// spread nor taken apart by position, which asks their iterator. Modules that are loaded later for one purpose (acorn,
// TypeScript) are not held to it. Nor are Node and Deno: a setter for `0` or a property `error` of all objects breaks
// their own code. Then the call fails, or the process ends, with a sentence that says so.

const { call } = Function.prototype;
/** A method as a function whose first argument is what it is called on. */
export const uncurried = (method) => call.bind(method);

export const { parse, stringify } = JSON;
export const { isArray, from: toArray } = Array;
export const { apply, ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
export const { assign, defineProperty, create, keys, freeze, hasOwn } = Object;
/** An object of ours whose optional properties are read: those that it has, and none that code gave to all objects. */
export const own = (properties) => ({ __proto__: null, ...properties });
export const { max, min, round, floor } = Math;
export const { isInteger, isFinite } = Number;
export const toText = String;
export const performanceNow = performance.now.bind(performance);

export const slice = uncurried(String.prototype.slice);
export const split = uncurried(String.prototype.split);
export const indexOf = uncurried(String.prototype.indexOf);
export const lastIndexOf = uncurried(String.prototype.lastIndexOf);
export const includes = uncurried(String.prototype.includes);
export const startsWith = uncurried(String.prototype.startsWith);
export const endsWith = uncurried(String.prototype.endsWith);
export const charCode = uncurried(String.prototype.charCodeAt);
export const repeat = uncurried(String.prototype.repeat);
export const trim = uncurried(String.prototype.trim);
export const trimEnd = uncurried(String.prototype.trimEnd);
export const numberText = uncurried(Number.prototype.toString);
export const join = uncurried(Array.prototype.join);
export const concat = uncurried(Array.prototype.concat);
/** Puts a value at the end of a list, whatever code gave to all objects under that number. */
export const push = (list, value) => {
  defineProperty(list, list.length, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
};
const execute = uncurried(RegExp.prototype.exec);
/** `pattern.exec(text)`. */
export const match = (pattern, text) => execute(pattern, text);
export const test = (pattern, text) => execute(pattern, text) !== null;

export const bytesOf = uncurried(Uint8Array.prototype.subarray);
export const setBytes = uncurried(Uint8Array.prototype.set);
export const Bytes = Uint8Array;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const encode = encoder.encode.bind(encoder);
export const encodeInto = encoder.encodeInto.bind(encoder);
export const decode = decoder.decode.bind(decoder);

/** A map from texts, of which nothing is anybody else's. */
export class Names {
  #values = create(null);
  size = 0;

  has(name) {
    return name in this.#values;
  }

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    if (!(name in this.#values)) this.size += 1;
    this.#values[name] = value;
  }

  delete(name) {
    if (name in this.#values) this.size -= 1;
    delete this.#values[name];
  }

  /** All names, the oldest first. */
  list() {
    return keys(this.#values);
  }
}
