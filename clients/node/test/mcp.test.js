// Every tool, as the official client of MCP for TypeScript calls it: over both transports, in both revisions.
import assert from 'node:assert/strict';
import test from 'node:test';

import { PROGRAM, REVISIONS, http, stdio } from './mcp-kit.js';

const TOOLS = [
  'ci_push_to_workspace',
  'execute_code',
  'execute_command',
  'file_operations',
  'workspace_list',
  'workspace_read',
  'workspace_write',
];
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==';
const skip = PROGRAM ? false : 'SKIPPED: CELLBLOCK_PROGRAM does not name the program';

for (const revision of Object.keys(REVISIONS)) {
  for (const [transport, open, options] of [
    ['HTTP', http, {}],
    ['stdin and stdout', stdio, { skip }],
  ]) {
    const over = (what) => `${what}: ${revision} over ${transport}`;

    test(over('every tool'), options, async (t) => {
      const agent = await open(t, revision);
      const { tools } = await agent.client.listTools();
      assert.deepEqual(tools.map((tool) => tool.name).sort(), TOOLS);
      for (const tool of tools) {
        assert.ok(tool.description && tool.annotations && tool.outputSchema, tool.name);
        assert.ok('session_id' in tool.inputSchema.properties, tool.name);
      }
      assert.equal(await agent.code('x = 6\nprint(x * 7)'), '42');
      assert.equal(await agent.code('print(x)'), '6');
      const command = await agent.ok('execute_command', { command: 'echo out; echo err >&2' });
      assert.match(command.text, /out[^]*err/);
      await agent.ok('file_operations', { operation: 'write', content: [{ path: 'a/b.txt', text: 'zeile\n☃' }] });
      const read = await agent.ok('file_operations', { operation: 'read', paths: ['a/b.txt'] });
      assert.ok(read.text.includes('zeile\n☃'), read.text);
      const listed = await agent.ok('file_operations', { operation: 'list', paths: ['a'] });
      assert.match(listed.text, /b\.txt/);
      assert.match((await agent.ok('ci_push_to_workspace', { paths: ['a/b.txt'] })).text, /a\/b\.txt/);
      await agent.ok('file_operations', { operation: 'remove', paths: ['a/b.txt'] });
      assert.equal((await agent.ok('workspace_read', { path: 'code-interpreter/a/b.txt' })).text, 'zeile\n☃');
      await agent.ok('workspace_write', { path: 'uploads/red.png', content: PNG, encoding: 'base64' });
      assert.match((await agent.ok('workspace_list', { path: 'uploads/' })).text, /red\.png/);
      const [image] = (await agent.ok('workspace_read', { path: 'uploads/red.png' })).images;
      assert.deepEqual([image.mimeType, image.data], ['image/png', PNG]);
      assert.equal(await agent.code("print(open('red.png', 'rb').read(4))"), "b'\\x89PNG'");
    });

    test(over('pictures, links, failures'), options, async (t) => {
      const agent = await open(t, revision);
      const chart = await agent.ok('execute_code', {
        code: 'import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.title("three")',
      });
      assert.deepEqual(chart.images.map((image) => image.mimeType), ['image/png']);
      assert.equal(Buffer.from(chart.images[0].data, 'base64').readUInt32BE(12), 0x49484452);
      const made = await agent.ok('execute_code', {
        code: "open('made.bin', 'wb').write(bytes(range(256)))",
        output_filename: 'made.bin',
      });
      assert.equal(made.links.length, 1, JSON.stringify(made));
      const { contents } = await agent.client.readResource({ uri: made.links[0].uri });
      assert.deepEqual([...Buffer.from(contents[0].blob, 'base64')], [...Array(256).keys()]);
      const raised = await agent.fails('execute_code', { code: "kept = 1\nprint('before')\nkept / 0" });
      assert.match(raised.text, /before[^]*ZeroDivisionError: division by zero/);
      const wrong = await agent.fails('execute_code', { code: '1', output_filename: 'mode.bin' });
      assert.match(wrong.text, /made\.bin/);
      assert.equal(await agent.code('print(kept)'), '1');
    });

    test(over('progress, and an end to a long call'), options, async (t) => {
      const agent = await open(t, revision);
      const stop = new AbortController();
      const heard = [];
      await assert.rejects(
        agent.call(
          'execute_code',
          { code: "kept = 41\nprint('started', flush=True)\nwhile True:\n    pass" },
          {
            signal: stop.signal,
            onprogress: ({ progress, message }) => {
              heard.push(progress);
              if (message?.includes('started')) stop.abort('enough');
            },
          },
        ),
      );
      assert.ok(heard.length > 0);
      assert.equal(await agent.code('print(kept + 1)'), '42');
    });
  }
}
