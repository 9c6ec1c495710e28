// What the tests share: where the server is, clients of it, and what is read from answers.
import assert from 'node:assert/strict';

export const URL_ = process.env.CELLBLOCK_URL;
if (!URL_) throw new Error('CELLBLOCK_URL must name a running server; `cargo run -p check -- clients` starts one');

// Clients refuse to send anything without them; nobody looks at what they say.
Object.assign(process.env, {
  AWS_ACCESS_KEY_ID: 'any',
  AWS_SECRET_ACCESS_KEY: 'any',
  AWS_REGION: 'us-east-1',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: URL_,
  AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL: URL_,
});

export const SYSTEM = 'aws.codeinterpreter.v1';

export const sdk = await import('@aws-sdk/client-bedrock-agentcore');
export const control = await import('@aws-sdk/client-bedrock-agentcore-control');

/** A session through AWS's SDK. */
export class Session {
  constructor(client, id, identifier) {
    Object.assign(this, { client, id, identifier });
  }

  /** Opens one that ends with its test. */
  static async open(test, { client = new sdk.BedrockAgentCoreClient({}), identifier = SYSTEM, ...options } = {}) {
    const started = await client.send(
      new sdk.StartCodeInterpreterSessionCommand({ codeInterpreterIdentifier: identifier, ...options }),
    );
    const session = new Session(client, started.sessionId, identifier);
    session.started = started;
    test.after(async () => {
      await session.stop();
      client.destroy();
    });
    return session;
  }

  async invoke(name, args = {}) {
    return await this.client.send(
      new sdk.InvokeCodeInterpreterCommand({
        codeInterpreterIdentifier: this.identifier,
        sessionId: this.id,
        name,
        arguments: args,
      }),
    );
  }

  /** The one event that a call gives; there is never another. */
  async call(name, args) {
    const events = [];
    for await (const event of (await this.invoke(name, args)).stream) events.push(event);
    assert.equal(events.length, 1, JSON.stringify(events));
    assert.ok(events[0].result, JSON.stringify(events));
    return events[0].result;
  }

  /** What code that succeeds has printed. */
  async code(text) {
    const result = await this.call('executeCode', { code: text, language: 'python' });
    assert.equal(result.isError, false, JSON.stringify(result));
    return result.structuredContent.stdout;
  }

  async stop() {
    return await this.client.send(
      new sdk.StopCodeInterpreterSessionCommand({ codeInterpreterIdentifier: this.identifier, sessionId: this.id }),
    );
  }

  async get() {
    return await this.client.send(
      new sdk.GetCodeInterpreterSessionCommand({ codeInterpreterIdentifier: this.identifier, sessionId: this.id }),
    );
  }
}

/** A promise that AWS's own error ends, with these words in its message. */
export async function refused(promise, name, status, part, field) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.name, name, error);
    assert.equal(error.$metadata.httpStatusCode, status);
    assert.ok(error.$metadata.requestId);
    if (part) assert.ok(error.message.includes(part), error.message);
    if (field) assert.deepEqual(error.fieldList.map((entry) => entry.name), [field]);
    return true;
  });
}
