// What the tests of TypeScript share: a session of calls that are checked, and begun if nothing is wrong with them.
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { Session } from 'node:inspector';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { TypeScript } from '../cellblock_kernel_js/typescript/index.mjs';

/** The `node_modules` that the tests use: of an environment, or one that lies above this file. */
export const libraries = found();

function found() {
  const places = [process.env.CELLBLOCK_TEST_NODE_MODULES];
  for (let at = import.meta.dirname; at !== '/'; at = dirname(at)) places.push(join(at, 'node_modules'));
  const place = places.find((one) => one && existsSync(join(one, 'typescript/package.json')));
  if (!place) throw new Error('no JavaScript libraries: set CELLBLOCK_TEST_NODE_MODULES');
  return place;
}

/** A session whose calls work in a directory of their own that sees `libraries` as every directory of a cell does. */
export class Calls {
  number = 0;

  constructor(test, options = {}) {
    const above = mkdtempSync(join(tmpdir(), 'typescript-'));
    symlinkSync(libraries, join(above, 'node_modules'));
    this.cwd = join(above, 'workspace');
    mkdirSync(this.cwd);
    this.ts = new TypeScript({ runtime: 'node', libraries, ...options });
    test.after(() => {
      this.ts.close();
      rmSync(above, { recursive: true });
    });
  }

  /** Checks a call; gives its result, and `errors` as short texts: `line:column code`. */
  async check(code) {
    const result = await this.ts.prepare(code, { number: ++this.number, cwd: this.cwd });
    return { ...result, errors: result.diagnostics.map((one) => `${one.line}:${one.column} ${one.code}`) };
  }

  /** Checks a call that has to be right, and begins it. */
  async begin(code) {
    const result = await this.check(code);
    if (result.diagnostics.length > 0) throw new Error(`${code}\n${JSON.stringify(result.diagnostics)}`);
    this.ts.commit(this.number);
    return result;
  }

  /** The errors of a call that is not begun. */
  async errors(code) {
    return (await this.check(code)).errors;
  }

  note(code) {
    this.ts.note(code, ++this.number, this.cwd);
  }
}

/** Evaluates as the kernel does, in V8's mode for prompts; gives the value. */
export async function evaluated(code) {
  const session = new Session();
  session.connect();
  try {
    const answer = await new Promise((resolve, reject) => {
      session.post('Runtime.evaluate', { expression: code, replMode: true, awaitPromise: true, returnByValue: true },
        (error, result) => (error ? reject(error) : resolve(result)));
    });
    if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception?.description ?? 'thrown');
    return answer.result.value;
  } finally {
    session.disconnect();
  }
}
