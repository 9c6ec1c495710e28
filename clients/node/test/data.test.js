// @aws-sdk/client-bedrock-agentcore, unmodified, found by the variable of the environment alone.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import test from 'node:test';

import { SYSTEM, Session, refused, sdk } from './kit.js';

test('a session from start to stop', async (t) => {
  const session = await Session.open(t, { name: 'mine', sessionTimeoutSeconds: 300 });
  assert.match(session.id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.ok(session.started.createdAt instanceof Date);
  const got = await session.get();
  assert.deepEqual([got.name, got.status, got.sessionTimeoutSeconds], ['mine', 'READY', 300]);
  assert.deepEqual(got.createdAt, session.started.createdAt);

  assert.equal(await session.code('x = 6\nprint(x * 7)'), '42');
  assert.equal(await session.code('print(x)'), '6');
  const wrong = await session.call('executeCode', { code: "print('hi')\n1/0" });
  assert.equal(wrong.isError, true);
  assert.equal(wrong.structuredContent.exitCode, 1);
  assert.deepEqual([wrong.content[0].text, wrong.content.length], ['hi', 2]);
  assert.ok(wrong.structuredContent.stderr.endsWith('\nZeroDivisionError: division by zero'));

  const command = await session.call('executeCommand', { command: 'echo out; echo err >&2; exit 3' });
  const { executionTime, ...rest } = command.structuredContent;
  assert.deepEqual(rest, { stdout: '', stderr: 'out\nerr\n', exitCode: 3 });
  assert.ok(executionTime > 0 && executionTime < 5);

  const listed = await session.client.send(
    new sdk.ListCodeInterpreterSessionsCommand({ codeInterpreterIdentifier: SYSTEM, maxResults: 100, status: 'READY' }),
  );
  const item = listed.items.find((item) => item.sessionId === session.id);
  assert.ok(item.createdAt instanceof Date && item.lastUpdatedAt instanceof Date);

  assert.ok((await session.stop()).lastUpdatedAt instanceof Date);
  assert.equal((await session.get()).status, 'TERMINATED');
  await refused(session.call('executeCode', { code: '1' }), 'ValidationException', 400, `Code interpreter session ${session.id} is not active`);
});

test('variables are cleared', async (t) => {
  const session = await Session.open(t);
  await session.code('x = 1');
  await session.call('executeCode', { code: '# Context cleared', language: 'python', clearContext: true });
  const gone = await session.call('executeCode', { code: 'print(x)' });
  assert.ok(gone.structuredContent.stderr.endsWith("NameError: name 'x' is not defined"));
});

test('files by text and by bytes', async (t) => {
  const session = await Session.open(t);
  const bytes = randomBytes(100_000);
  const written = await session.call('writeFiles', {
    content: [{ path: 'a/b.bin', blob: bytes }, { path: 'c.txt', text: 'zeile\r\n☃' }],
  });
  assert.equal(written.content[0].text, 'Successfully wrote all 2 files');
  const read = await session.call('readFiles', { paths: ['a/b.bin', 'c.txt'] });
  assert.deepEqual(Buffer.from(read.content[0].resource.blob), bytes);
  assert.deepEqual(read.content[1].resource, { uri: 'file:///c.txt', mimeType: 'text/plain', text: 'zeile\r\n☃' });
  const listed = await session.call('listFiles', { directoryPath: '' });
  assert.deepEqual(
    Object.fromEntries(listed.content.map((block) => [block.name, [block.description, block.uri, block.mimeType]])),
    { a: ['Directory', 'file:///a', undefined], 'c.txt': ['File', 'file:///c.txt', 'text/plain'] },
  );
  const removed = await session.call('removeFiles', { paths: ['c.txt', 'a/b.bin'] });
  assert.equal(removed.content[0].text, 'Successfully removed all 2 files');
  const gone = await session.call('readFiles', { paths: ['c.txt'] });
  assert.deepEqual([gone.isError, gone.content[0].text], [true, 'Error executing tool read_files: File c.txt not found']);
});

test('pictures come unasked', async (t) => {
  const session = await Session.open(t);
  const result = await session.call('executeCode', {
    code: 'import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.show()',
  });
  const picture = result.content.find((block) => block.type === 'image');
  assert.equal(picture.mimeType, 'image/png');
  const data = Buffer.from(picture.data);
  assert.equal(data.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
  assert.ok(data.readUInt32BE(16) > 300 && data.readUInt32BE(20) > 200);
  assert.ok(data.length > 5000, `a blank picture of ${data.length} bytes`);
});

test('a file of 30 MB is read, and one of 40 MB is too large', async (t) => {
  const session = await Session.open(t);
  await session.code("import os\nfor n in (30, 40):\n    with open(f'f{n}', 'wb') as f: f.write(b'\\xff' * n * 10**6)");
  const [{ resource }] = (await session.call('readFiles', { paths: ['f30'] })).content;
  assert.equal(resource.blob.length, 30_000_000);
  assert.ok(Buffer.from(resource.blob).every((byte) => byte === 0xff));
  await refused(
    session.call('readFiles', { paths: ['f40'] }),
    'ValidationException',
    400,
    'Response payload too large. Reduce the number or size of files in a single call.',
  );
});

test('events that keep a stream alive are passed over', async (t) => {
  const session = await Session.open(t);
  assert.equal(await session.code("import time\ntime.sleep(11)\nprint('late')"), 'late');
});

test('a fault in a stream is an exception of its kind', async (t) => {
  const session = await Session.open(t);
  const code =
    "from IPython.display import Image, display\nimport os\nn = [display(Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + os.urandom(3_500_000), format='png')) for _ in range(12)]";
  await assert.rejects(
    async () => {
      // The SDK reads the first event before it gives the stream away.
      for await (const event of (await session.invoke('executeCode', { code })).stream) {
        assert.fail(JSON.stringify(event).slice(0, 500));
      }
    },
    (error) => {
      assert.equal(error.name, 'ValidationException', error);
      assert.ok(error.message.includes('Response payload too large'), error.message);
      return true;
    },
  );
});

test('tasks in the background', async (t) => {
  const session = await Session.open(t);
  const started = await session.call('startCommandExecution', { command: 'echo done' });
  assert.equal(started.structuredContent.taskStatus, 'submitted');
  const { taskId } = started.structuredContent;
  let now;
  const end = Date.now() + 20_000;
  do {
    assert.ok(Date.now() < end, 'the task does not end');
    now = (await session.call('getTask', { taskId })).structuredContent;
  } while (now.taskStatus !== 'completed');
  assert.deepEqual([now.stdout, now.exitCode], ['done\n', 0]);
  const late = await session.call('stopTask', { taskId });
  assert.equal(late.content[0].text, 'Task cannot be canceled (current status: TaskStatus.COMPLETED)');
  const long = (await session.call('startCommandExecution', { command: 'sleep 600' })).structuredContent.taskId;
  assert.equal((await session.call('stopTask', { taskId: long })).content[0].text, 'Successfully canceled a command execution task');
});

test('an ARN names the interpreter', async (t) => {
  const session = await Session.open(t, {
    identifier: `arn:aws:bedrock-agentcore:us-east-1:aws:code-interpreter/${SYSTEM}`,
  });
  assert.equal(await session.code('print(1)'), '1');
});

test('what is wrong is refused with the field named', async (t) => {
  const session = await Session.open(t);
  const start = (options) => Session.open(t, options);
  await refused(start({ name: 'x'.repeat(101) }), 'ValidationException', 400, 'less than or equal to 100', 'name');
  await refused(start({ sessionTimeoutSeconds: 28801 }), 'ValidationException', 400, '28800', 'sessionTimeoutSeconds');
  await refused(start({ identifier: 'never-0123456789' }), 'ResourceNotFoundException', 404, 'never-0123456789');
  await refused(session.call('executeCode', { code: '1', language: 'ruby' }), 'ValidationException', 400, 'typescript', 'arguments.language');
  await refused(session.call('launch'), 'ValidationException', 400, 'executeCode', 'name');
  const unknown = new Session(session.client, '01ARZ3NDEKTSV4RRFFQ69G5FAV', SYSTEM);
  await refused(unknown.get(), 'ResourceNotFoundException', 404, unknown.id);
  await refused(unknown.call('listFiles'), 'ResourceNotFoundException', 404, unknown.id);
});

test('a token opens one session', async (t) => {
  const clientToken = `${randomUUID()}-${randomUUID()}`;
  const first = await Session.open(t, { clientToken, name: 'a' });
  const again = await Session.open(t, { clientToken, name: 'a' });
  assert.equal(again.id, first.id);
  await assert.rejects(Session.open(t, { clientToken, name: 'b' }), (error) => {
    assert.deepEqual([error.name, error.reason], ['ValidationException', 'IdempotentParameterMismatchException']);
    return true;
  });
});
