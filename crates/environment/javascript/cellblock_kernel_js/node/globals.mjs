// The globals that code in Node.js expects: process.stdout, console, require, module, the built-in modules by name.

import { installStreams } from './streams.mjs';

export class Globals {
  install(kernel) {
    process.argv.length = 1;
    installStreams(kernel);
  }

  begin(request) {
    if (Array.isArray(request.argv)) process.argv = [process.execPath, ...request.argv];
  }
}
