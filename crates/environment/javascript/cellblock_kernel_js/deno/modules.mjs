// import and require for code that has no file, in Deno.
//
// What must stay true: a specifier means what it would mean in a file of the working directory. Relative ones are
// resolved here. Bare ones and `npm:` are Deno's to find, who looks from the importing file upward, and that file would
// be this one: so a hook gives another parent for what is imported from here. A package is looked for in the working
// directory and above, then in the session's own layer (NODE_PATH, which Deno does not know), then in the environment.
// Offline, what is not there is said in one sentence: Deno's own names the kernel's files, or commands of projects.

//
// A module's own code runs in a microtask, where it can be interrupted (port.mjs): Deno runs what it has loaded from its
// event loop, and a termination there ends the process, or crashes it. So a module is first loaded deferred.

import { reworded } from '../globals.mjs';
import { apply, ownKeys } from '../safe.mjs';

const { cwd } = Deno;
const { setImmediate: later, queueMicrotask: soon } = globalThis;
const { create } = Object;
const { getBuiltinModule } = process;
/** What a cell's file is called where a file's name is asked for. */
const CELL = '[cell]';
const ROOT = '/';
/** What Deno says of a package that is in none of the directories. */
const NO_PACKAGE = /not a dependency|Could not find a matching package|Resolving npm specifier entrypoints/;

const builtin = (name) => apply(getBuiltinModule, process, [name]);
const parentOf = (directory) => directory.slice(0, Math.max(1, directory.lastIndexOf('/')));
/** The URL of a file, each odd character of its path escaped. */
const urlOf = (path) => `file://${path.split('/').map(encodeURIComponent).join('/')}`;

function exists(path) {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** `@scope/name` of a bare or npm: specifier, and what follows its version; null for any other. */
function packageOf(specifier) {
  const bare = specifier.startsWith('npm:') ? specifier.slice(4).replace(/^\//, '') : specifier;
  if (bare === specifier && /^(?:[./#]|[a-z][a-z0-9+.-]*:)/i.test(specifier)) return null;
  const found = /^((?:@[^/@]+\/)?[^/@]+)(?:@[^/]*)?(\/.*)?$/.exec(bare);
  return found && { name: found[1], path: found[2] ?? '', npm: bare !== specifier };
}

export class Loader {
  /** `owner`: gives the call on whose behalf the running code runs. */
  constructor(owner) {
    this.owner = owner;
    this.filename = null;
    this.hooked = false;
    this.made = null;
  }

  begin(filename) {
    this.filename = typeof filename === 'string' && filename.startsWith('/') ? filename : null;
    if (this.made !== null) this.made.module.filename = this.made.module.id = this.file();
  }

  directory() {
    if (this.filename !== null) return parentOf(this.filename);
    try {
      return cwd();
    } catch {
      return ROOT;
    }
  }

  /** The file that the code would be. */
  file() {
    const directory = this.directory();
    return this.filename ?? `${directory === ROOT ? '' : directory}/${CELL}`;
  }

  url() {
    return urlOf(this.file());
  }

  /** The directories of packages, the nearest first. */
  places() {
    const found = [];
    for (let at = this.directory(); ; at = parentOf(at)) {
      found.push(`${at === ROOT ? '' : at}/node_modules`);
      if (at === ROOT) break;
    }
    return [...found, ...(Deno.env.get('NODE_PATH') ?? '').split(':').filter((place) => place !== '')];
  }

  /** The file from which this package is to be looked for. */
  from(name) {
    for (let at = this.directory(); at !== ROOT; at = parentOf(at)) {
      if (exists(`${at}/node_modules/${name}`)) return this.file();
    }
    for (const place of (Deno.env.get('NODE_PATH') ?? '').split(':')) {
      if (place.endsWith('/node_modules') && exists(`${place}/${name}`)) return `${parentOf(place)}/${CELL}`;
    }
    return this.file();
  }

  hook() {
    if (this.hooked) return;
    this.hooked = true;
    builtin('module').registerHooks({
      resolve: (specifier, context, next) => {
        if (context.parentURL !== import.meta.url) return next(specifier, context);
        const { name, path, npm } = packageOf(specifier) ?? {};
        if (name === undefined) return next(specifier, context);
        const parent = { ...context, parentURL: urlOf(this.from(name)) };
        if (!npm) return next(specifier, parent);
        try {
          return next(specifier, parent);
        } catch (error) {
          // With a version that is not there, no other is meant.
          if (/^npm:\/?(?:@[^/]+\/)?[^/]+@/.test(specifier)) throw error;
          return next(name + path, parent);
        }
      },
    });
  }

  async load(specifier, options) {
    let asked = `${specifier}`;
    if (/^\.{0,2}\//.test(asked)) asked = new URL(asked, this.url()).href;
    const wanted = packageOf(asked);
    if (wanted !== null) {
      if (builtin(asked) !== undefined) asked = `node:${asked}`;
      else this.hook();
    }
    try {
      // What has attributes holds no code, and Deno's own modules cannot be deferred.
      if (options !== undefined) return await import(asked, options);
      if (asked.startsWith('node:')) return await import(asked);
      const call = this.owner();
      const deferred = await import.defer(asked);
      await new Promise((resolve) => void later(() => soon(resolve)));
      // What an interrupted call has not begun yet does not hold up the next one.
      if (call?.interrupted === true) return await new Promise(() => {});
      try {
        // It is evaluated when it is first looked at.
        ownKeys(deferred);
      } catch {
        // The import says so again.
      }
      return await import(asked);
    } catch (error) {
      throw said(error, asked, wanted, this.directory());
    }
  }

  resolve(specifier) {
    const asked = `${specifier}`;
    if (/^\.{0,2}\//.test(asked)) return new URL(asked, this.url()).href;
    const wanted = packageOf(asked);
    if (wanted === null) return new URL(asked).href;
    if (builtin(asked) !== undefined) return `node:${asked}`;
    // Deno asks no hook here.
    const { createRequire } = builtin('module');
    return urlOf(createRequire(this.from(wanted.name)).resolve(wanted.name + wanted.path));
  }

  /** `require` and `module`, made when first asked for. */
  required() {
    if (this.made !== null) return this.made;
    const Module = builtin('module');
    const requires = create(null);
    const main = new Module.Module('.');
    main.filename = main.id = this.file();
    const of = (id) => {
      const name = packageOf(`${id}`)?.name;
      const file = name === undefined ? this.file() : this.from(name);
      return (requires[file] ??= Module.createRequire(file));
    };
    const told = (id, call) => {
      try {
        return call(of(id));
      } catch (error) {
        throw this.filename === null ? reworded(error, this.file(), this.owner()?.name ?? CELL) : error;
      }
    };
    const require = function require(id) {
      return told(id, (from) => from(id));
    };
    const resolve = (id, ...rest) => told(id, (from) => from.resolve(id, ...rest));
    resolve.paths = (id) => of(id).resolve.paths(id);
    Object.assign(require, { resolve, main, extensions: Module._extensions, cache: Module._cache });
    main.require = require;
    this.made = { require, module: main };
    return this.made;
  }
}

/** The error as one who works in a cell can use it. */
function said(error, specifier, wanted, directory) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND') return error;
  const { message } = error;
  let text;
  if (wanted !== null && (NO_PACKAGE.test(message) || message.endsWith(`/${wanted.name}${wanted.path}".`))) {
    text = `Cannot find package '${wanted.name}' (imported as '${specifier}' in ${directory}): ` +
      `\`npm install ${wanted.name}\` adds it where the network is allowed`;
  } else if (/ failed(?: to load)?\./.test(message)) {
    const lines = message.split('\n');
    const cause = lines.length > 1 ? lines[lines.length - 1].replace(/^\s*\d+:\s*/, '') : '';
    text = `${lines[0].replace(/\.$/, '')}${cause ? `: ${cause}` : ''} (modules of other places need the network, which a cell may not have; the libraries at hand need none, and \`npm install NAME\` ` +
      'adds one of npm\'s where it is allowed)';
  } else {
    return error;
  }
  return Object.assign(new TypeError(text), { code: error.code });
}
