// What is told of a call: its value, its report, and what it left behind that failed later.
//
// What must stay true: the report is a call's last frame, and its value goes out right before. No interrupt comes
// within `send`. One may end `of`, which runs code of the user's.

import { DONE, NO_CALL, RESULT, STDERR, pack, packOutput, packText } from './wire.mjs';
import { assign, own, performanceNow, round, split, stringify } from './safe.mjs';
import { Failures, adviceOn } from './advice.mjs';
import { describe } from './errors.mjs';
import { bundleOf, encodeBundle, formsOf, isTimer } from './show.mjs';

/** Errors that earlier calls left behind and that are told within a call. */
const LATE = 20;

export class Reports {
  constructor(kernel) {
    this.kernel = kernel;
    this.told = 0;
    this.failures = new Failures();
  }

  /** A call begins. */
  begin() {
    this.told = 0;
  }

  /** Has the value say its forms, which may take its time. */
  forms(call, outcome, then) {
    const { host } = this.kernel;
    const failed = (error) => {
      this.kernel.print(STDERR, `Symbol.for('Jupyter.display') failed:\n${describe(host, own({ error }), this.kernel.program).traceback}\n`);
      then();
    };
    try {
      const forms = host.as(call, () => formsOf(host, outcome.value));
      if (host.isPromise(forms)) {
        host.then(
          forms,
          (all) => {
            outcome.forms = all;
            then();
          },
          failed,
        );
        return;
      }
      outcome.forms = forms;
    } catch (error) {
      failed(error);
      return;
    }
    then();
  }

  /** The report of a call that went well and shows nothing. */
  plain(call) {
    return own({ report: own({ status: 'ok', execution_count: call.number, interrupted: false }), result: null });
  }

  /** What the last frames say of this outcome: the report, and before it the value. */
  of(call, outcome) {
    const { host, program } = this.kernel;
    const last = this.plain(call);
    const { report } = last;
    if (outcome.interrupted) {
      report.status = 'raised';
      report.ename = 'Interrupted';
      report.evalue = 'the call was interrupted';
      report.traceback = 'Interrupted: the call was interrupted';
    } else if ('error' in outcome) {
      report.status = 'raised';
      assign(report, describe(host, own({ ...outcome, name: call.name }), program));
      this.advise(call, outcome, report);
    }
    const valued = 'error' in outcome ? outcome.valued : outcome;
    if (valued && 'value' in valued && !call.request.silent && !call.final) last.result = this.result(call, valued);
    report.interrupted = outcome.interrupted === true;
    return last;
  }

  /** Adds what is known of the error beside what it says. */
  advise({ request }, { line = 0 }, report) {
    const typed = request.language === 'typescript';
    const advice = adviceOn(this.failures, report, line > 0 && !typed ? split(request.code, '\n', line)[line - 1] : undefined);
    if (advice !== null) report.traceback += `\n\n${advice}`;
  }

  /** The same, or that it cannot be told: where code has changed what all objects have, anything may fail. */
  whatever(call, outcome) {
    try {
      return this.of(call, outcome);
    } catch {
      const last = this.plain(call);
      const { report } = last;
      report.status = 'raised';
      report.ename = 'Error';
      report.evalue = `${'error' in outcome ? 'what was thrown' : 'the value'} cannot be described`;
      report.traceback = `Error: ${report.evalue}`;
      report.interrupted = outcome.interrupted === true;
      return last;
    }
  }

  result(call, { value, forms }) {
    const { host, program } = this.kernel;
    if (value === undefined || isTimer(host, value)) return null;
    const bundle = bundleOf(host, value, forms, program.maps);
    bundle.execution_count = call.number;
    return pack(RESULT, call.id, encodeBundle(bundle));
  }

  /** The last frames of a call. */
  send(call, { report, result }) {
    const { host } = this.kernel;
    if (result !== null) host.write(result);
    report.seconds = round((performanceNow() - call.started) * 1000) / 1e6;
    report.cpu_seconds = round((host.cpu() - call.cpu) * 1e6) / 1e6;
    report.cwd = host.cwd();
    call.done = true;
    if (report.status === 'raised' && typeof call.request.code === 'string') this.failures.add(call.number, call.request.code, report, call.begun);
    call.outcome = null;
    this.kernel.current = null;
    host.write(packText(DONE, call.id, stringify(report)));
  }

  /** An error of what an earlier call left behind. */
  late(error, owner, rejected = false) {
    this.told += 1;
    if (this.told > LATE + 1) return;
    const from = owner && owner.number ? `an earlier call (${owner.number})` : 'an earlier call';
    const { host, program } = this.kernel;
    const text =
      this.told > LATE
        ? `More of what earlier calls left behind fails than the ${LATE} errors that are shown\n`
        : `Uncaught in code of ${from}:\n${describe(host, own({ error, rejected }), program).traceback}\n`;
    host.shielded(() => packOutput(STDERR, NO_CALL, text, host.write));
  }
}
