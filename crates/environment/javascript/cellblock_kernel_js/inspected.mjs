// A session of V8's inspector in this very thread, and the values that it tells of: the same in both runtimes.

import { apply, defineProperty, getOwnPropertyDescriptor, own, slice } from './safe.mjs';

const { Session } = process.getBuiltinModule('inspector');
const { post, connect, disconnect } = Session.prototype;
const { prototype: objects } = Object;

export class Inspected {
  constructor() {
    /** Where a function that V8 calls for us puts what a remote object stands for. */
    this.sink = { value: undefined };
    this.session = null;
  }

  connect() {
    this.session = new Session();
    apply(connect, this.session, []);
    this.id = null;
  }

  disconnect() {
    const { session } = this;
    this.session = null;
    if (session === null) return;
    try {
      apply(disconnect, session, []);
    } catch {
      // It makes an error for who waits for an answer, and to write its stack is the code's to change.
    }
  }

  /** Has the session know the sink, and then calls. */
  nameSink(then = () => {}) {
    globalThis.__cellblock = this.sink;
    this.post('Runtime.evaluate', { expression: '__cellblock' }, (error, answer) => {
      // There is none where the session was closed meanwhile.
      if (!error) this.id = answer.result.objectId;
      then();
    });
    delete globalThis.__cellblock;
  }

  /**
   * The message is made by JSON, and so by a `toJSON` that code gave to all objects: it is taken away while the message
   * is made, of which the last property puts it back.
   */
  post(method, parameters, answered) {
    if (this.session === null) this.connect();
    const given = getOwnPropertyDescriptor(objects, 'toJSON');
    if (given === undefined || !given.configurable) {
      apply(post, this.session, [method, parameters, answered]);
      return;
    }
    const back = () => void defineProperty(objects, 'toJSON', own(given));
    delete objects.toJSON;
    const last = { __proto__: null, get: back, enumerable: true };
    apply(post, this.session, [method, defineProperty(own(parameters), 'last', last), answered]);
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
