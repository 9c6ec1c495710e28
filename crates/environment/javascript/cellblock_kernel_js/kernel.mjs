// The kernel's loop: takes a call, runs it, reports. It does not know which runtime it is in: `host` does.
//
// A call's frame holds JSON as the Python kernel's does: `code`, and optionally `language` ("javascript", "typescript"),
// `filename` (the code is a program of this name), `argv`, `final` (a whole program: the interpreter ends after it, once
// its event loop is empty), `cwd`, `type_errors` ("refuse", "warn"), `silent`, `store_history`; or, instead of `code`,
// `complete`, a question about code that is not run. Unknown keys are ignored.
//
// What must stay true:
// - There is one call at a time, and `finish` ends it, once: whoever comes first. It is told by events (the evaluation
//   has settled, an error was caught nowhere, a cancel came, the process exits), never by one chain of promises, because
//   an interrupt may kill any code of the main thread that is not `host.shielded`.
// - Whose code runs is told by `host.owner()`. Text of the running call goes out under its name, anything else's under
//   no call's ("late").
//
// `host`, what a runtime gives (node.mjs, deno.mjs):
//   runtime                     'node' or 'deno'
//   write(bytes)                writes whole frames, synchronously; the bytes are the caller's again afterwards. Ends the
//                               process when the other end is gone.
//   serve(kernel, on)                   begins to read. Calls, each in a turn of its own and shielded:
//                                 on.run(id, payload, cancelled)   a RUN frame (two Uint8Array); whether it was
//                                                       cancelled before it could begin
//                                 on.cancel(id)         a CANCEL for the running call, which now is not busy: either it
//                                                       was waiting, or its code has been terminated
//                                 on.uncaught(error, owner, rejected)  an exception or, `rejected`, a rejection that nobody
//                                                       handles
//                                 on.leaving(status, empty)  the process ends now, and exit handlers have run: the last words.
//                                     `empty`: because the event loop is. Gives the status to end with
//   evaluate(source, name, owner, settled)   evaluates in the global scope with `replMode`, on behalf of `owner` (any
//                               object). Calls `settled` once, with { value } or
//                               { thrown, line, column } (the last two, from 1, of a syntax error, or 0) or
//                               { refused: true } (the runtime did not begin it, or does not tell). After a termination it may never.
//   owner()                     the owner on whose behalf the running code runs, or undefined
//   as(owner, call)             calls it on behalf of the owner, and gives what it gives
//   shielded(call)              calls it (synchronous, short), and no interrupt terminates code within it
//   turn(call)                  calls it after one turn of the event loop: what was due is done
//   apart(call)                 calls it soon, where an interrupt that terminates it ends only that
//   inspect(value, options)     the runtime's own text for a value (util.inspect's options that it knows)
//   isProxy(value), isPromise(value), isError(value), isSyntaxError(value)   without running code of the user's
//   then(promise, good, bad)    the promise's own `then`, whatever the code made of the prototype
//   begin(request)              before each call: `argv`, `filename`, and whatever the runtime's globals need
//   load(specifier, options)    dynamic import, relative to the current directory
//   require(specifier)          loads a CommonJS module relative to the current directory (Deno may lack it)
//   acorn()                     the parser, or a promise of it, loaded when first asked for
//   broken()                    ends the process at once, and says why: what code has changed keeps it from speaking
//   finish(status)              runs exit handlers and ends the process with that status, by way of on.leaving
//   drain(status)               the same once the event loop is empty
//   ready()                     before a question: settles when what follows can be told
//   lexicalNames(), lookup(name)   the names of `let`, `const` and `class`; what one stands for: { value } or null
//   isLazy(name), modules(prefix)  whether a global is a built-in module not yet loaded; what could be imported
//   libraries()                 where the environment's libraries are
//   cpu(), cwd(), chdir(path), full()   seconds with ended children's; directories; the full file system in memory or null

import { DISPLAY, DONE, NO_CALL, READY, STDERR, STDOUT, pack, packOutput, packText, sameCall } from './wire.mjs';
import { decode, includes, own, parse, performanceNow, stringify } from './safe.mjs';
import { mapped, tidied } from './errors.mjs';
import { encodeBundle } from './show.mjs';
import { installDisplay } from './display.mjs';
import { Program } from './program.mjs';
import { Reports } from './reports.mjs';

const { Error, TypeError } = globalThis;
/** The exit status of a program that was interrupted, as a shell has it. */
const INTERRUPTED = 130;
/** Not written where it is imported: Deno reads every module that it finds named in an `import()` before it begins. */
const QUESTIONS = './questions.mjs';
const REFUSED =
  'the runtime could not run this code, or tell how it ended: what code has changed in its objects or in those of the ' +
  'language (Object.prototype, process) breaks it. Undo that, or begin a new session';

class Call {
  constructor(id, request, number, cpu) {
    this.id = id;
    this.request = request;
    this.number = number;
    this.started = performanceNow();
    this.cpu = cpu;
    this.done = false;
    this.evaluated = false;
    /** Whether any of it ran. */
    this.begun = false;
    this.outcome = null;
    /** The checker of TypeScript while this call is checked. */
    this.checking = null;
    /** Whether the text may be an object, and not a block. */
    this.object = false;
    this.final = false;
    this.ending = false;
    this.failed = false;
    /** How it ended is known, and only to be told. */
    this.telling = false;
  }
}
Object.setPrototypeOf(Call.prototype, null);

export class Kernel {
  constructor(host) {
    this.host = host;
    this.current = null;
    this.count = 0;
    this.program = new Program(this);
    this.reports = new Reports(this);
  }

  serve() {
    const { host } = this;
    installDisplay(this);
    host.serve(this, {
      run: (id, payload, cancelled) => this.run(id, payload, cancelled),
      cancel: (id) => this.cancel(id),
      uncaught: (error, owner, rejected) => this.uncaught(error, owner, rejected),
      leaving: (status, empty) => this.leaving(status, empty),
    });
    // A signal is harmless from here on.
    host.write(pack(READY, NO_CALL, NO_CALL.subarray(0, 0)));
  }

  // What code says.

  /** Under which call something goes out that the running code says. */
  to() {
    const { current } = this;
    if (current === null || current.done) return NO_CALL;
    const owner = this.host.owner();
    return owner === undefined || owner === current ? current.id : NO_CALL;
  }

  /** Text or bytes for standard output (STDOUT) or error (STDERR). */
  print(kind, chunk) {
    const { host } = this;
    let text = chunk;
    if (typeof chunk === 'string' && chunk.length < 65536 && includes(chunk, ' at ')) text = mapped(tidied(chunk), this.program.maps);
    host.shielded(() => packOutput(kind, this.to(), text, host.write));
  }

  display(bundle) {
    const payload = encodeBundle(bundle);
    this.host.shielded(() => this.host.write(pack(DISPLAY, this.to(), payload)));
  }

  // A call.

  run(id, payload, cancelled) {
    const { host } = this;
    let request;
    let failed = null;
    try {
      request = parse(decode(payload));
      if (request === null || typeof request !== 'object') throw new TypeError('a call that is no object');
      request = own(request);
      if (typeof request.code !== 'string' && request.complete === undefined) throw new TypeError('a call without `code`');
    } catch (error) {
      request = own();
      failed = error;
    }
    if (request.complete !== undefined) {
      this.ask(id, own(request.complete));
      return;
    }
    this.reports.begin();
    if (request.store_history !== false && !request.silent) this.count += 1;
    const call = new Call(id, request, this.count, host.cpu());
    this.current = call;
    call.final = request.final === true;
    if (cancelled) {
      call.interrupted = true;
      this.finish(call, { interrupted: true });
      return;
    }
    try {
      if (failed !== null) throw failed;
      if (typeof request.cwd === 'string') host.chdir(request.cwd);
      host.begin(request);
    } catch (error) {
      this.finish(call, { error });
      return;
    }
    this.program.start(call);
  }

  /** The evaluation has settled: { value }, { thrown, … } or { refused }. */
  settled(call, told) {
    const { host } = this;
    const ended = own(told);
    call.evaluated = true;
    if (call.done) {
      if ('thrown' in ended) this.reports.late(ended.thrown, call);
      return;
    }
    if ('thrown' in ended) {
      this.afterwards(call, { error: ended.thrown, line: ended.line, column: ended.column });
    } else if (ended.refused) {
      this.afterwards(call, { error: new Error(REFUSED) });
    } else if (!call.final && host.isPromise(ended.value)) {
      try {
        host.then(
          ended.value,
          (value) => this.afterwards(call, { value }),
          (error) => (call.done ? this.reports.late(error, call) : this.afterwards(call, { error })),
        );
      } catch (error) {
        // Of `Promise[Symbol.species]`, which is the code's to change.
        this.afterwards(call, { error });
      }
    } else {
      this.afterwards(call, { value: ended.value });
    }
  }

  /** One turn later, so that what the code left undone (a rejection nobody handles) can still be told of it. */
  afterwards(call, told) {
    const { host } = this;
    if (call.done) return;
    const outcome = (call.outcome = own(told));
    const end = () => host.turn(() => this.finish(call, outcome));
    if ('value' in outcome && !call.request.silent && !call.final) this.reports.forms(call, outcome, end);
    else end();
  }

  finish(call, told) {
    const { host } = this;
    if (call.done) return;
    const outcome = own(told);
    if (call.final) {
      this.end(call, outcome);
      return;
    }
    if (outcome.interrupted) {
      this.tell(call, outcome);
    } else if (!call.telling) {
      call.telling = true;
      host.apart(() => this.tell(call, outcome));
    }
  }

  /**
   * The last frames. Values and errors are described by code of the user's as well, which may take for ever: it may be
   * terminated, and then it is the cancel that ends the call.
   */
  tell(call, outcome) {
    if (call.done) return;
    const last = this.reports.whatever(call, outcome);
    try {
      this.host.shielded(() => {
        if (!call.done) this.reports.send(call, last);
      });
    } catch {
      this.host.broken();
    }
  }

  /** A whole program has run: its event loop goes on to the end, and then `leaving` reports. */
  end(call, outcome) {
    const { host } = this;
    const failed = outcome.interrupted === true || 'error' in outcome;
    // It may fail after its code has run, and only once; an interrupt ends the telling of that, too.
    if ((call.failed && !outcome.interrupted) || (call.ending && !failed)) return;
    call.outcome = outcome;
    call.ending = true;
    call.failed = failed;
    if (failed) host.finish(outcome.interrupted ? INTERRUPTED : 1);
    else host.drain();
  }

  // What comes from outside.

  cancel(id) {
    const call = this.current;
    if (call === null || call.done || !sameCall(call.id, id)) return;
    call.interrupted = true;
    this.finish(call, { interrupted: true });
    // The next check would wait for this one.
    call.checking?.close();
  }

  uncaught(error, owner, rejected = false) {
    const call = this.current;
    if (call !== null && !call.done && !call.telling && (owner === call || owner === undefined)) {
      // The code may have come to its value.
      this.finish(call, { error, rejected, valued: call.outcome });
    } else {
      this.reports.late(error, owner, rejected);
    }
  }

  /** The last words. Gives the status that the process ends with. */
  leaving(status, empty) {
    const call = this.current;
    if (call === null || call.done) return status;
    const outcome = call.outcome ?? own();
    let its = status;
    if (empty && call.final && !call.evaluated) {
      // As Node says it of a module.
      this.print(STDERR, 'Warning: the program waits at its top level for what can never come\n');
      its = status || 13;
    }
    const failed = 'error' in outcome || outcome.interrupted;
    const last = failed ? this.reports.whatever(call, outcome) : this.reports.plain(call);
    if (!failed && !(empty && call.final)) last.report.status = 'exited';
    last.report.exit_status = its;
    this.host.shielded(() => this.reports.send(call, last));
    return its;
  }

  // Questions.

  ask(id, question) {
    const { host } = this;
    const reply = (report) => host.shielded(() => host.write(packText(DONE, id, stringify(report))));
    const answered = async () => {
      try {
        const { answer } = await import(QUESTIONS);
        reply(own({ status: 'ok', answer: await answer(host, question) }));
      } catch {
        reply(own({ status: 'ok' }));
      }
    };
    answered();
  }
}

export { STDERR, STDOUT };
