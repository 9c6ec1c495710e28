// The compiler's settings for a session's calls, and what is global in a call besides the runtime's own names.

const OPTIONS = {
  target: 'esnext',
  // As `esnext`, and `import x = require('x')` besides.
  module: 'preserve',
  moduleResolution: 'bundler',
  moduleDetection: 'force',
  lib: ['esnext'],
  noEmit: true,
  skipLibCheck: true,
  // Of what follows from it, diagnostics.mjs leaves out what only says that a type was not said.
  strict: true,
  // `catch (e) { console.log(e.message) }` is how scripts are written; strict alone would refuse to run it.
  useUnknownInCatchVariables: false,
  allowUnreachableCode: true,
  allowUnusedLabels: true,
  allowUmdGlobalAccess: true,
  allowImportingTsExtensions: true,
  resolveJsonModule: true,
  // JavaScript is read for its types, never checked.
  allowJs: true,
  checkJs: false,
};

/** The settings file for a check of `files`. `typeRoots` is where the runtime's own types are. */
export function checking(files, { runtime, libraries, denoLibrary }) {
  const own = { types: ['node'], typeRoots: [`${libraries}/@types`] };
  const before = runtime === 'deno' && denoLibrary ? [denoLibrary] : [];
  return JSON.stringify({ compilerOptions: { ...OPTIONS, ...own }, files: [...before, ...files] });
}

/** The settings file for reading files without looking at anything else. */
export function parsing(files) {
  const compilerOptions = { ...OPTIONS, lib: undefined, noLib: true, noResolve: true, types: [] };
  return JSON.stringify({ compilerOptions, files });
}

// Builtins that the kernel offers as globals, read when first used, as Node's own prompt does. Those that have a
// global of that name with types of its own (console, module, performance, process) are left to it.
const BUILTINS = [
  'assert', 'async_hooks', 'buffer', 'child_process', 'cluster', 'constants', 'dgram', 'diagnostics_channel', 'dns', 'domain',
  'events', 'fs',
  'http', 'http2', 'https', 'inspector', 'net', 'os', 'path', 'perf_hooks', 'punycode', 'querystring', 'readline',
  'repl', 'stream', 'string_decoder', 'timers', 'tls', 'trace_events', 'tty', 'url', 'util', 'v8', 'vm', 'wasi',
  'worker_threads', 'zlib',
];

const DISPLAY = `
interface CellblockDisplay {
  /** Shows a value, or forms of one by their MIME types. */
  (value: unknown, options?: { display_id?: string | number; update?: boolean; raw?: boolean }): void | Promise<void>;
  html(text: string | TemplateStringsArray, ...values: unknown[]): void;
  markdown(text: string | TemplateStringsArray, ...values: unknown[]): void;
  svg(text: string | TemplateStringsArray, ...values: unknown[]): void;
  json(value: unknown): void;
  image(bytes: ArrayBuffer | ArrayBufferView, type?: string): void;
  table(rows: object): void;
}
declare var display: CellblockDisplay;
`;

/** What a server answers may be used as in a browser and in Deno; Node's types say `unknown`. */
const ANSWERS = 'interface Response { json(): Promise<any> } interface Request { json(): Promise<any> }\n';

/** The text of a file that declares the kernel's globals. */
export function globals(runtime) {
  if (runtime === 'deno') return DISPLAY;
  return DISPLAY + ANSWERS + BUILTINS.map((name) => `declare var ${name}: typeof import('node:${name}');`).join('\n');
}

/**
 * What stands for a global in the call that uses it, because the global's own types cannot be changed: `crypto` is the
 * module, which has all that the web's has.
 */
export function local(runtime) {
  return runtime === 'deno' ? new Map() : new Map([['crypto', "declare const crypto: typeof import('node:crypto');"]]);
}
