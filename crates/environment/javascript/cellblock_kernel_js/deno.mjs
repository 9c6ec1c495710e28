// The kernel in Deno:
//
//   deno run --quiet --allow-all --no-prompt --no-lock --no-config --node-modules-dir=manual --sloppy-imports
//     --inspect=127.0.0.1:0 --inspect-publish-uid=http [--v8-flags=--max-old-space-size=MIB] deno.mjs --fd 3
//
// The inspector's server is how the watcher (deno/watcher.mjs) interrupts this thread: Deno's `Session` cannot connect
// from another one. It listens on the cell's own loopback, and the two flags, with --quiet, keep it silent.
// --node-modules-dir=manual finds bare and npm: specifiers in node_modules, and never fetches them by itself.
// --sloppy-imports: `./people` is people.ts, as the check of TypeScript has it.
// A cache of Deno's has the compiled code of what is loaded here, and lies in every home; without one, --no-code-cache
// saves the ten milliseconds of making it.

// First: it begins a thread, which works beside us.
import './deno/thread.mjs';
import { Kernel } from './kernel.mjs';
import { host } from './deno/host.mjs';

new Kernel(host()).serve();
