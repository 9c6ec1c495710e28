// The kernel in Node.js: `node --no-force-async-hooks-checks node.mjs --fd 3`.
//
// The flag: an interrupt unwinds the stack past Node's own bookkeeping of asynchronous contexts, which it otherwise
// takes for a bug of its own and aborts.

import { Kernel } from './kernel.mjs';
import { host } from './node/host.mjs';

new Kernel(host(Number(process.argv[process.argv.indexOf('--fd') + 1]))).serve();
