// A session of V8's inspector in this very thread, and the values that it tells of: the same in both runtimes.

import { apply, slice } from './safe.mjs';

const inspector = process.getBuiltinModule('inspector');
const { post } = inspector.Session.prototype;

export class Inspected {
  constructor() {
    /** Where a function that V8 calls for us puts what a remote object stands for. */
    this.sink = { value: undefined };
    this.connect();
  }

  connect() {
    this.session = new inspector.Session();
    this.session.connect();
    this.nameSink();
  }

  /** Has the session know the sink. */
  nameSink() {
    globalThis.__cellblock = this.sink;
    this.post('Runtime.evaluate', { expression: '__cellblock' }, (error, answer) => {
      // There is none where the session was closed meanwhile.
      if (!error) this.id = answer.result.objectId;
    });
    delete globalThis.__cellblock;
  }

  post(method, parameters, answered) {
    apply(post, this.session, [method, parameters, answered]);
  }

  /** The value that the inspector describes. */
  take(remote) {
    const { objectId, unserializableValue: text, type } = remote;
    if (objectId === undefined) {
      if (text === undefined) return remote.subtype === 'null' ? null : type === 'undefined' ? undefined : remote.value;
      if (type === 'bigint') return BigInt(slice(text, 0, -1));
      return text === '-0' ? -0 : Number(text);
    }
    const { sink } = this;
    this.post(
      'Runtime.callFunctionOn',
      { objectId: this.id, functionDeclaration: 'function (value) { this.value = value; }', arguments: [{ objectId }], silent: true },
      () => {},
    );
    const { value } = sink;
    sink.value = undefined;
    return value;
  }
}
