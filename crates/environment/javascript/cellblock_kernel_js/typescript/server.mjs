// TypeScript's native compiler as a process: JSON-RPC over its pipes, files of ours by a callback.
//
// What must stay true: the process never keeps ours from ending, it ends with ours (its input is closed then), and
// when it is gone every question that waits is answered with an error; the next one starts another process.
//
// Only `readFile` is asked of us. With `fileExists` each check asked 400 to 900 times over the pipe, 20 ms of its 35:
// so nothing may depend on one of our files being *found*; they are all roots, and refer to each other by name.
// The package's own client is not used: to load it takes longer than the process needs to start.
import { spawn } from 'node:child_process';

const READY = Buffer.from('\r\n\r\n');

export class Server {
  #process;
  #waiting = new Map();
  #last = 0;
  #parts = [];
  #have = 0;
  #need = 0;
  #read;
  #gone;
  #complaint = '';

  /** `read(path)` gives the text of a file of ours, or undefined for one that is read from the disk. */
  constructor(executable, { cwd, memory, read }) {
    this.#read = read;
    this.#process = spawn(executable, ['--api', '--async', '--cwd', cwd, '--callbacks=readFile'], {
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe'],
      // Not our own environment, which is the user's to change. Collecting more often than Go would halves what is held.
      env: { PATH: '/usr/bin:/bin', HOME: '/', GOMEMLIMIT: `${memory}MiB`, GOGC: '60' },
    });
    const child = this.#process;
    child.on('error', (error) => this.#end(`the compiler cannot be started: ${error.message}`));
    child.on('exit', (status, signal) => {
      this.#end(signal ? `the compiler was ended by ${signal}` : `the compiler ended with status ${status}`);
    });
    child.stdout.on('data', (bytes) => this.#take(bytes));
    child.stderr.on('data', (bytes) => { this.#complaint = (this.#complaint + bytes).slice(-2000); });
    // An input that is closed under us is told by 'exit'.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {});
    this.#hold(false);
  }

  get pid() { return this.#process.pid; }
  get alive() { return this.#gone === undefined; }

  /** Asks, and gives the answer; fails if the process is gone or says no. */
  call(method, params = null) {
    if (this.#gone !== undefined) return Promise.reject(new Error(this.#gone));
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) this.#hold(true);
      this.#waiting.set(id, { resolve, reject });
      this.#send({ jsonrpc: '2.0', id, method, params });
    });
  }

  /** Ends the process. It does not heed SIGTERM while it waits for input, so it is killed. */
  close() {
    this.#end('the compiler was closed');
    this.#process.kill('SIGKILL');
  }

  // While a question waits the process keeps ours alive, as any other operation under way would.
  #hold(yes) {
    const how = yes ? 'ref' : 'unref';
    this.#process[how]();
    for (const stream of [this.#process.stdin, this.#process.stdout, this.#process.stderr]) stream[how]?.();
  }

  #send(message) {
    const text = JSON.stringify(message);
    this.#process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  #take(bytes) {
    this.#parts.push(bytes);
    this.#have += bytes.length;
    while (this.#have > 0 && this.#have >= this.#need) {
      const all = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
      this.#parts = [all];
      const head = all.indexOf(READY);
      if (head < 0) return;
      const length = Number(/Content-Length: *(\d+)/i.exec(all.toString('latin1', 0, head))?.[1]);
      const end = head + READY.length + length;
      this.#need = end;
      if (all.length < end) return;
      this.#need = 0;
      this.#have = all.length - end;
      this.#parts = this.#have ? [all.subarray(end)] : [];
      this.#message(JSON.parse(all.toString('utf8', end - length, end)));
    }
  }

  #message(message) {
    if (message.method !== undefined) {
      const text = message.method === 'readFile' ? this.#read(message.params) : undefined;
      this.#send({ jsonrpc: '2.0', id: message.id, result: text === undefined ? null : { content: text } });
      return;
    }
    const question = this.#waiting.get(message.id);
    if (!question) return;
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#hold(false);
    if (message.error) question.reject(new Refused(message.error.message));
    else question.resolve(message.result);
  }

  #end(why) {
    if (this.#gone !== undefined) return;
    this.#gone = this.#complaint ? `${why}: ${this.#complaint.trim().split('\n', 1)[0]}` : why;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#hold(false);
    for (const { reject } of waiting) reject(new Error(this.#gone));
  }
}

/** The process lives and said no: to ask the same again would not help. */
export class Refused extends Error {}
