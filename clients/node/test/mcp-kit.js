// MCP through the official client: over HTTP and over stdin and stdout, in both revisions of the protocol.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { URL_ } from './kit.js';

export const PROGRAM = process.env.CELLBLOCK_PROGRAM;
const ENVIRONMENTS = process.env.CELLBLOCK_TEST_ENVIRONMENTS;
const PATIENCE = 120_000;

// How the client is told which revision to speak.
export const REVISIONS = { '2025-11-25': 'legacy', '2026-07-28': { pin: '2026-07-28' } };

/** What a tool's call gave. */
class Told {
  constructor(result) {
    this.failed = Boolean(result.isError);
    this.structured = result.structuredContent;
    this.text = result.content.filter((block) => block.type === 'text').map((block) => block.text).join('\n');
    this.images = result.content.filter((block) => block.type === 'image');
    this.links = result.content.filter((block) => block.type === 'resource_link');
  }
}

/** A connected client, and the `session_id` that its calls have if they name none. */
export class Agent {
  constructor(client, session) {
    Object.assign(this, { client, session });
  }

  async call(tool, args = {}, options = {}) {
    const session = this.session && { session_id: this.session };
    return new Told(
      await this.client.callTool({ name: tool, arguments: { ...session, ...args } }, { timeout: PATIENCE, ...options }),
    );
  }

  async ok(tool, args, options) {
    const told = await this.call(tool, args, options);
    assert.equal(told.failed, false, told.text);
    return told;
  }

  async fails(tool, args, options) {
    const told = await this.call(tool, args, options);
    assert.equal(told.failed, true, told.text);
    assert.ok(told.text.trim(), 'a failure without a word');
    return told;
  }

  async code(code) {
    return (await this.ok('execute_code', { code })).text;
  }
}

async function connect(test, revision, transport, session) {
  const client = new Client(
    { name: 'cellblock-tests', version: '1' },
    { versionNegotiation: { mode: REVISIONS[revision] } },
  );
  test.after(() => client.close());
  await client.connect(transport, { timeout: PATIENCE });
  assert.equal(client.getNegotiatedProtocolVersion(), revision);
  return new Agent(client, session);
}

/** An agent of the server that runs, in a session of its own. */
export async function http(test, revision) {
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', URL_));
  return await connect(test, revision, transport, `test-${randomUUID().slice(0, 12)}`);
}

/** An agent whose server is a process of its own, with a data directory that is new and goes again. */
export async function stdio(test, revision) {
  // Short, for the paths of sockets below it.
  const place = mkdtempSync(join(tmpdir(), 'cellblock-mcp-'));
  const args = ['mcp', '--env', 'lean', '--data', place];
  if (ENVIRONMENTS) args.push('--environments', ENVIRONMENTS);
  const transport = new StdioClientTransport({ command: PROGRAM, args });
  // Hooks run in the order in which they were given: the client must be closed first.
  const agent = await connect(test, revision, transport).finally(() =>
    test.after(async () => {
      const end = Date.now() + 20_000;
      while (left(place).length && Date.now() < end) await pause(50);
      const found = left(place);
      rmSync(place, { recursive: true, force: true });
      assert.deepEqual(found, []);
    }),
  );
  return agent;
}

/** Processes that have this directory among their mounts or arguments, and nodes below it. */
function left(place) {
  const found = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const file of ['mountinfo', 'cmdline']) {
      try {
        if (readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(place)) found.push(`process ${pid}`);
      } catch {
        // It has ended, or is none of ours.
      }
    }
  }
  try {
    found.push(...readdirSync(join(place, 'nodes')).map((name) => `nodes/${name}`));
  } catch {
    // None was made.
  }
  return found;
}
