// From the text of a call to its evaluation: what is rewritten, and what is remembered for tracebacks.

import { Map, indexOf, keys, test } from './safe.mjs';

/** Texts of cells kept for tracebacks, characters; the oldest go first. */
const TEXTS = 4 << 20;
const MODULE = /\b(?:import|export)\b/;

export class Program {
  constructor(kernel) {
    this.kernel = kernel;
    /** What code is called in tracebacks, and its text. */
    this.texts = new Map();
    this.size = 0;
  }

  /** Prepares and begins the call; whatever fails is its outcome. */
  start(call) {
    const { kernel } = this;
    const { request } = call;
    const typed = request.language === 'typescript';
    const name = request.filename || `cell-${call.number}.${typed ? 'ts' : 'js'}`;
    call.name = name;
    this.remember(name, request.code);
    if (typed || test(MODULE, request.code)) {
      this.prepare(call, typed).catch((error) => kernel.finish(call, { error }));
    } else {
      this.evaluate(call, request.code);
    }
  }

  async prepare(call, typed) {
    const { kernel } = this;
    let code = call.request.code;
    if (typed) throw new Error('this kernel cannot run TypeScript yet');
    kernel.finish(call, { error: new Error('imports are not there yet') });
  }

  evaluate(call, code) {
    const { kernel } = this;
    kernel.host.evaluate(code, call.name, call, (ended) => kernel.settled(call, ended));
  }

  remember(name, text) {
    this.texts.set(name, text);
    this.size += text.length;
    for (const [old, its] of this.texts) {
      if (this.size <= TEXTS || old === name) break;
      this.texts.delete(old);
      this.size -= its.length;
    }
  }
}
