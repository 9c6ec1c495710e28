// Modules of TypeScript that the user wrote beside the code: found and translated as the check understands them.
//
// Node takes the types off a `.ts` file by itself, but finds it by its whole name only, refuses enums and namespaces,
// and looks for types that are imported without the word `type` as if they were values. What the check has accepted
// must run, so `./people` and `./people.js` mean people.ts where nothing has that very name, and esbuild translates.
// Packages are left to Node.
//
// Rejected: Node's own way of translating (`--experimental-transform-types`), which must be asked for before the
// process begins, and keeps imports of types.

import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import process from 'node:process';
import { URL, fileURLToPath } from 'node:url';

const RELATIVE = /^(?:\.{0,2}\/|\.{1,2}$|file:)/;
const PACKAGES = '/node_modules/';
const TYPED = /\.[cm]?ts$/;
/** What TypeScript looks for where a file has an ending of JavaScript's, and where it has none. */
const INSTEAD = { '.js': ['.ts'], '.mjs': ['.mts'], '.cjs': ['.cts'] };
const ENDINGS = ['.ts', '.js', '/index.ts', '/index.js'];
/** Of a file that nothing says more about: whether it is a module as the language has them. */
const MODULE = /^\s*(?:import\b\s*[\w$*{'"]|export\b)/m;
const NOT_FOUND = ['ERR_MODULE_NOT_FOUND', 'ERR_UNSUPPORTED_DIR_IMPORT', 'MODULE_NOT_FOUND'];
const RAW = JSON.stringify({ compilerOptions: { useDefineForClassFields: true } });

function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The URL of the file that TypeScript would take for this one, which is not there; or undefined. */
function instead(href) {
  const url = new URL(href);
  const ending = /\.[cm]?js$/.exec(url.pathname)?.[0];
  const base = ending ? url.pathname.slice(0, -ending.length) : url.pathname.replace(/\/$/, '');
  for (const other of [...(INSTEAD[ending] ?? []), ...(ending ? [] : ENDINGS)]) {
    const found = new URL(url);
    found.pathname = base + other;
    if (isFile(fileURLToPath(found))) return found.href;
  }
  return undefined;
}

function resolve(specifier, context, next) {
  try {
    return next(specifier, context);
  } catch (error) {
    const { parentURL } = context;
    const own = parentURL?.startsWith('file:') && !parentURL.includes(PACKAGES);
    if (!own || !NOT_FOUND.includes(error?.code) || !RELATIVE.test(specifier)) throw error;
    const found = instead(new URL(specifier, parentURL));
    if (found === undefined) throw error;
    return { url: found, shortCircuit: true };
  }
}

export function installSiblings(libraries) {
  const esbuild = `${libraries}/@esbuild/linux-${process.arch}/bin/esbuild`;
  const load = (url, context, next) => {
    if (!url.startsWith('file:') || url.includes(PACKAGES)) return next(url, context);
    const path = fileURLToPath(url);
    if (!TYPED.test(path)) return next(url, context);
    const input = readFileSync(path, 'utf8');
    const args = [
      '--loader=ts', '--target=esnext', '--charset=utf8', '--sourcemap=inline', '--sources-content=false',
      '--supported:decorators=false', '--log-level=error', '--color=false', `--sourcefile=${path}`, `--tsconfig-raw=${RAW}`,
    ];
    const { status, stdout, stderr, error } = spawnSync(esbuild, args, { input, encoding: 'utf8', cwd: '/', maxBuffer: 1 << 28 });
    if (error) throw error;
    if (status !== 0) throw new SyntaxError(stderr.trim() || `esbuild ended with ${status}`);
    const given = /^(?:module|commonjs)/.exec(context.format ?? '')?.[0];
    return { format: given ?? (MODULE.test(input) ? 'module' : 'commonjs'), source: stdout, shortCircuit: true };
  };
  // Stacks name the places of the text that was written.
  process.setSourceMapsEnabled(true);
  registerHooks({ resolve, load });
}
