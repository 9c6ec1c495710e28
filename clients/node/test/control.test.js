// @aws-sdk/client-bedrock-agentcore-control, unmodified.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';

import { SYSTEM, Session, control, refused } from './kit.js';

const client = new control.BedrockAgentCoreControlClient({});
const send = (command) => client.send(command);
const name = () => `js_${randomUUID().replaceAll('-', '')}`;

async function create(t, options = {}) {
  const made = await send(
    new control.CreateCodeInterpreterCommand({
      name: name(),
      networkConfiguration: { networkMode: 'SANDBOX' },
      ...options,
    }),
  );
  const codeInterpreterId = made.codeInterpreterId;
  t.after(() =>
    send(new control.DeleteCodeInterpreterCommand({ codeInterpreterId })).catch((error) =>
      assert.equal(error.name, 'ResourceNotFoundException'),
    ),
  );
  return made;
}

test('an interpreter is made, found, used and deleted', async (t) => {
  const made = await create(t, { description: 'd' });
  const { codeInterpreterId, codeInterpreterArn } = made;
  assert.equal(made.$metadata.httpStatusCode, 202);
  assert.ok(made.createdAt instanceof Date);
  for (const identifier of [codeInterpreterId, codeInterpreterArn]) {
    const got = await send(new control.GetCodeInterpreterCommand({ codeInterpreterId: identifier }));
    assert.deepEqual([got.codeInterpreterArn, got.status, got.description], [codeInterpreterArn, 'READY', 'd']);
    assert.deepEqual(got.networkConfiguration, { networkMode: 'SANDBOX' });
  }
  const session = await Session.open(t, { identifier: codeInterpreterArn });
  assert.equal(session.started.codeInterpreterIdentifier, codeInterpreterId);
  assert.equal(await session.code('print(1)'), '1');
  const deleted = await send(new control.DeleteCodeInterpreterCommand({ codeInterpreterId }));
  assert.deepEqual([deleted.status, deleted.$metadata.httpStatusCode], ['DELETING', 202]);
  await refused(send(new control.GetCodeInterpreterCommand({ codeInterpreterId })), 'ResourceNotFoundException', 404, codeInterpreterId);
});

test('the paginator finds all of them once', async (t) => {
  const made = [];
  for (let n = 0; n < 5; n += 1) made.push((await create(t)).codeInterpreterId);
  const found = [];
  for await (const page of control.paginateListCodeInterpreters({ client, pageSize: 2 }, {})) {
    assert.ok(page.codeInterpreterSummaries.length <= 2);
    found.push(...page.codeInterpreterSummaries.map((item) => item.codeInterpreterId));
  }
  assert.equal(new Set(found).size, found.length);
  assert.deepEqual(found.filter((id) => made.includes(id)), made.toReversed());
  assert.equal(found.at(-1), SYSTEM);
});

test('tags', async (t) => {
  const { codeInterpreterArn: resourceArn } = await create(t, { tags: { one: '1' } });
  const tags = async () => (await send(new control.ListTagsForResourceCommand({ resourceArn }))).tags;
  assert.deepEqual(await tags(), { one: '1' });
  await send(new control.TagResourceCommand({ resourceArn, tags: { two: '' } }));
  await send(new control.UntagResourceCommand({ resourceArn, tagKeys: ['one'] }));
  assert.deepEqual(await tags(), { two: '' });
});

test('what is wrong is refused with the field named', async (t) => {
  await refused(create(t, { name: '1abc' }), 'ValidationException', 400, 'pattern', 'name');
  await refused(
    create(t, { networkConfiguration: { networkMode: 'PUBLIC' } }),
    'ValidationException',
    400,
    'SANDBOX',
    'networkConfiguration.networkMode',
  );
  const twice = name();
  await create(t, { name: twice });
  await refused(create(t, { name: twice }), 'ConflictException', 409, twice);
  await refused(send(new control.ListCodeInterpretersCommand({ maxResults: 101 })), 'ValidationException', 400, '100', 'maxResults');
});
