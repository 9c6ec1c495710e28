// What is told of a call: its value, its report, and what it left behind that failed later.
//
// What must stay true: the report is a call's last frame, and its value goes out right before. Whoever calls `of` and
// `send` sees to it that no interrupt comes between.

import { DONE, NO_CALL, RESULT, STDERR, pack, packOutput, packText } from './wire.mjs';
import { performanceNow, round, stringify } from './safe.mjs';
import { describe } from './errors.mjs';
import { bundleOf, encodeBundle, formsOf, isTimer } from './show.mjs';

export class Reports {
  constructor(kernel) {
    this.kernel = kernel;
  }

  /** Has the value say its forms, which may take its time. */
  forms(call, outcome, then) {
    const { host } = this.kernel;
    const failed = (error) => {
      this.kernel.print(STDERR, `Symbol.for('Jupyter.display') failed:\n${describe(host, { error }, this.kernel.program).traceback}\n`);
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

  /** What the report says of this outcome; the value goes out before it. */
  of(call, outcome) {
    const { host, program } = this.kernel;
    const report = { status: 'ok', execution_count: call.number };
    if (outcome.interrupted) {
      report.status = 'raised';
      report.ename = 'Interrupted';
      report.evalue = 'the call was interrupted';
      report.traceback = 'Interrupted: the call was interrupted';
    } else if ('error' in outcome) {
      report.status = 'raised';
      Object.assign(report, describe(host, { ...outcome, name: call.name }, program));
    } else if (!call.request.silent && !call.final) {
      this.result(call, outcome);
    }
    report.interrupted = outcome.interrupted === true;
    return report;
  }

  result(call, { value, forms }) {
    const { host } = this.kernel;
    if (value === undefined || isTimer(host, value)) return;
    const bundle = bundleOf(host, value, forms);
    bundle.execution_count = call.number;
    host.write(pack(RESULT, call.id, encodeBundle(bundle)));
  }

  /** The last frame of a call. */
  send(call, report) {
    const { host } = this.kernel;
    report.seconds = round((performanceNow() - call.started) * 1000) / 1e6;
    report.cpu_seconds = round((host.cpu() - call.cpu) * 1e6) / 1e6;
    report.cwd = host.cwd();
    call.done = true;
    call.outcome = null;
    this.kernel.current = null;
    host.write(packText(DONE, call.id, stringify(report)));
  }

  /** An error of what an earlier call left behind. */
  late(error, owner) {
    const from = owner && owner.number ? `an earlier call (${owner.number})` : 'an earlier call';
    const { host, program } = this.kernel;
    const { traceback } = describe(host, { error }, program);
    host.shielded(() => packOutput(STDERR, NO_CALL, `Uncaught in code of ${from}:\n${traceback}\n`, host.write));
  }
}
