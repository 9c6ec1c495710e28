// The compiler's settings for a session's calls, and what is global in a call besides the runtime's own names.

const OPTIONS = {
  target: 'esnext',
  module: 'esnext',
  moduleResolution: 'bundler',
  moduleDetection: 'force',
  lib: ['esnext'],
  noEmit: true,
  skipLibCheck: true,
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
  const before = runtime === 'deno' ? [denoLibrary] : [];
  return JSON.stringify({ compilerOptions: { ...OPTIONS, ...own }, files: [...before, ...files] });
}

/** The settings file for reading files without looking at anything else. */
export function parsing(files) {
  const compilerOptions = { ...OPTIONS, lib: undefined, noLib: true, noResolve: true, types: [] };
  return JSON.stringify({ compilerOptions, files });
}

// Builtins that the kernel offers as globals, read when first used, as Node's own prompt does. Those that have a
// global of that name with types of its own (console, crypto, module, performance, process) are left to it.
const BUILTINS = [
  'assert', 'async_hooks', 'buffer', 'child_process', 'cluster', 'dgram', 'diagnostics_channel', 'dns', 'events', 'fs',
  'http', 'http2', 'https', 'inspector', 'net', 'os', 'path', 'perf_hooks', 'querystring', 'readline', 'stream',
  'string_decoder', 'timers', 'tls', 'tty', 'url', 'util', 'v8', 'vm', 'worker_threads', 'zlib',
];

const DISPLAY = `
interface CellblockDisplay {
  /** Shows a value, or a bundle of representations by MIME type. */
  (value: unknown, options?: Record<string, unknown>): any;
  html(text: string): any;
  markdown(text: string): any;
  svg(text: string): any;
  json(value: unknown): any;
  image(data: Uint8Array | ArrayBuffer | string, type?: string): any;
  table(rows: Iterable<unknown> | object): any;
}
declare var display: CellblockDisplay;
`;

/** The text of a file that declares the kernel's globals. */
export function globals(runtime) {
  const builtins = runtime === 'deno' ? [] : BUILTINS.map((name) => `declare var ${name}: typeof import('node:${name}');`);
  return DISPLAY + builtins.join('\n');
}
