// process.kill for signals that reach this very process.
//
// Node takes a signal to its own process that has no listener for the end of it, and runs before it is sent what it runs
// at its end: the inspector's contexts are gone then, by which the kernel evaluates. But many signals do nothing to the
// process by default, and `process.kill(-1)` spares who calls it. So what does not end this process is sent to the others
// one by one, and what would do nothing to it is not sent to itself.

import { readFileSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { apply, lastIndexOf, own, slice, split, test } from '../safe.mjs';

const { process } = globalThis;
const { pid: self, _kill: send } = process;
const { listenerCount } = process;
const { signals, errno } = constants;
const NUMBER = /^\d+$/;
/** What does nothing to a process by default, or to one of Node's, or to one without a terminal. */
const HARMLESS = ['SIGCHLD', 'SIGCONT', 'SIGPIPE', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGWINCH', 'SIGXFSZ'];
/** Names of the signals that are harmless, by number. */
const harmless = own();
for (const name of HARMLESS) harmless[signals[name]] = name;

/** The process group of a process, or -1 if it is gone. */
function groupOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(split(slice(text, lastIndexOf(text, ')') + 2), ' ')[2]);
  } catch {
    return -1;
  }
}

/** Sends it to all others but init, or to those of a group. Gives 0, or an error if there was none to send it to. */
function sendOthers(group, number) {
  const names = readdirSync('/proc');
  let result = -errno.ESRCH;
  for (let at = 0; at < names.length; at += 1) {
    const pid = test(NUMBER, names[at]) ? Number(names[at]) : 0;
    if (pid <= 1 || pid === self || (group !== null && groupOf(pid) !== group)) continue;
    const sent = apply(send, process, [pid, number]);
    if (sent === 0 || result !== 0) result = sent;
  }
  return result;
}

export function installKill() {
  // What `process.kill` calls when it has looked at what it was given.
  process._kill = (to, number) => {
    // It takes a text for a number as well.
    const pid = to | 0;
    if (number > 0 && pid === -1) return sendOthers(null, number);
    const name = harmless[number];
    const ours = pid === self || pid === 0 || pid === -self;
    if (!ours || number === 0 || (name !== undefined && apply(listenerCount, process, [name]) > 0)) {
      return apply(send, process, [pid, number]);
    }
    // There is no such group where this process leads none, and it lives on.
    const there = apply(send, process, [pid, 0]);
    if (there !== 0 || name === undefined) return there || apply(send, process, [pid, number]);
    if (pid !== self) sendOthers(pid === 0 ? groupOf('self') : self, number);
    return 0;
  };
}
