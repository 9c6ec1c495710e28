// The npm package `bedrock-agentcore`, unmodified, pointed here in each of the two ways that it has.
import assert from 'node:assert/strict';
import test from 'node:test';

import { SYSTEM, URL_ } from './kit.js';

const { CodeInterpreter } = await import('bedrock-agentcore/code-interpreter');

test('a session from start to stop', async (t) => {
  const client = new CodeInterpreter({ region: 'us-east-1' });
  t.after(() => client.stopSession());
  const started = await client.startSession({ sessionName: 'mine', timeout: 300 });
  assert.ok(started.sessionId.length > 10);
  assert.ok(started.createdAt instanceof Date);

  assert.equal(await client.executeCode({ code: 'x = 6\nprint(x * 7)' }), '42');
  assert.equal(await client.executeCode({ code: 'print(x)', language: 'python' }), '6');
  assert.ok((await client.executeCode({ code: "print('hi')\n1/0" })).endsWith('ZeroDivisionError: division by zero'));
  await client.executeCode({ code: '# Context cleared', clearContext: true });
  assert.ok((await client.executeCode({ code: 'print(x)' })).endsWith("NameError: name 'x' is not defined"));
  assert.equal(await client.executeCommand({ command: 'echo $((6 * 7))' }), '42\n');

  const files = [{ path: 'a.txt', content: 'zeile\n☃' }, { path: 'sub/b.csv', content: 'n\n1\n' }];
  assert.equal(await client.writeFiles({ files }), 'Successfully wrote all 2 files');
  assert.equal(await client.readFiles({ paths: ['a.txt', 'sub/b.csv'] }), 'zeile\n☃\nn\n1\n');
  await client.executeCode({ code: "n = open('c.bin', 'wb').write(bytes(range(256)))" });
  const binary = JSON.parse(await client.readFiles({ paths: ['c.bin'] }));
  assert.deepEqual([...Buffer.from(binary.blob, 'base64')], [...Array(256).keys()]);
  assert.deepEqual((await client.listFiles()).split('\n').sort(), [
    'a.txt - File - text/plain (file:///a.txt)',
    'c.bin - File - application/octet-stream (file:///c.bin)',
    'sub - Directory (file:///sub)',
  ]);
  assert.equal(await client.removeFiles({ paths: ['a.txt'] }), 'Successfully removed all 1 files');
  assert.equal(await client.readFiles({ paths: ['a.txt'] }), 'Error executing tool read_files: File a.txt not found');

  const refused = await client.executeCommand({ command: 'pip install yfinance' });
  assert.ok(refused.includes('No matching distribution found for yfinance'), refused);

  const got = await client.getSession();
  assert.deepEqual([got.sessionId, got.name, got.status, got.sessionTimeoutSeconds], [started.sessionId, 'mine', 'READY', 300]);
  const { items } = await client.listSessions({ status: 'READY', maxResults: 100 });
  const item = items.find((item) => item.sessionId === started.sessionId);
  assert.ok(item.createdAt instanceof Date && item.lastUpdatedAt instanceof Date);
  await client.stopSession();
  const ended = await client.getSession({ interpreterId: SYSTEM, sessionId: started.sessionId });
  assert.equal(ended.status, 'TERMINATED');
});

test('the endpoint in the configuration, and a session by itself', async (t) => {
  const before = process.env.AWS_ENDPOINT_URL_BEDROCK_AGENTCORE;
  delete process.env.AWS_ENDPOINT_URL_BEDROCK_AGENTCORE;
  t.after(() => {
    process.env.AWS_ENDPOINT_URL_BEDROCK_AGENTCORE = before;
  });
  const client = new CodeInterpreter({ region: 'us-east-1', clientConfig: { endpoint: URL_ } });
  t.after(() => client.stopSession());
  assert.equal(await client.executeCode({ code: '1 + 1' }), '2');
});
