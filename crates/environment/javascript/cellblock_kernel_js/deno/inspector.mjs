// A client of the inspector's protocol, over the WebSocket that Deno offers for it.
//
// Its own WebSocket client rather than Deno's: that one costs ten milliseconds and takes no message over 64 MB. Only
// what the two ends of one machine need is here: no extensions, no pings of ours, a mask of zeros.

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const TEXT = 1;
const CLOSE = 8;

export class Inspector {
  static async open(url, heard) {
    const { hostname, port, pathname } = new URL(url);
    const self = new Inspector();
    self.connection = await Deno.connect({ hostname, port: Number(port) });
    self.connection.setNoDelay();
    self.heard = heard;
    await self.connection.write(
      encoder.encode(
        `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: Y2VsbGJsb2NrLWtlcm5lbA==\r\n\r\n',
      ),
    );
    let end;
    while ((end = decoder.decode(self.held()).indexOf('\r\n\r\n')) < 0) {
      if (!(await self.fill(self.length + 1))) throw new Error('the inspector refused');
    }
    self.take(end + 4);
    self.closed = self.receive().catch(() => {}).finally(() => self.fail());
    return self;
  }

  constructor() {
    this.buffer = new Uint8Array(16 << 10);
    this.length = 0;
    this.waiting = new Map();
    this.count = 0;
  }

  held() {
    return this.buffer.subarray(0, this.length);
  }

  async fill(size) {
    while (this.length < size) {
      if (this.buffer.length < size) {
        const larger = new Uint8Array(size * 2);
        larger.set(this.held());
        this.buffer = larger;
      }
      const got = await this.connection.read(this.buffer.subarray(this.length));
      if (got === null) return false;
      this.length += got;
    }
    return true;
  }

  take(size) {
    this.buffer.copyWithin(0, size, this.length);
    this.length -= size;
  }

  async receive() {
    let text = '';
    while (await this.fill(2)) {
      const kind = this.buffer[0] & 15;
      const last = (this.buffer[0] & 128) !== 0;
      let size = this.buffer[1] & 127;
      let at = 2;
      if (size === 126) {
        at = 4;
        if (!(await this.fill(at))) return;
        size = (this.buffer[2] << 8) | this.buffer[3];
      } else if (size === 127) {
        at = 10;
        if (!(await this.fill(at))) return;
        size = Number(new DataView(this.buffer.buffer).getBigUint64(2));
      }
      if (!(await this.fill(at + size))) return;
      const part = decoder.decode(this.buffer.subarray(at, at + size));
      this.take(at + size);
      if (kind === CLOSE) return;
      if (kind > TEXT) continue;
      text += part;
      if (!last) continue;
      this.hear(JSON.parse(text));
      text = '';
    }
  }

  hear({ id, result, method, params }) {
    if (id === undefined) {
      this.heard(method, params);
      return;
    }
    this.waiting.get(id)?.(result);
    this.waiting.delete(id);
  }

  /** Gives the answer; undefined for an error, or when the connection has ended. */
  post(method, params = {}, sessionId = undefined) {
    this.count += 1;
    const id = this.count;
    const message = encoder.encode(JSON.stringify({ id, method, params, sessionId }));
    const head = message.length < 126 ? [0x81, 0x80 | message.length] : [0x81, 0xfe, message.length >> 8, message.length & 255];
    const frame = new Uint8Array(head.length + 4 + message.length);
    frame.set(head);
    frame.set(message, head.length + 4);
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.connection.write(frame).catch(() => this.fail());
    });
  }

  fail() {
    for (const resolve of this.waiting.values()) resolve(undefined);
    this.waiting.clear();
  }

  close() {
    try {
      this.connection.close();
    } catch {}
  }
}
