// The globals that code in Node.js expects: require, module, import, process.argv, the built-in modules by name.
//
// They follow the working directory, as a program's follow its file.

import { readdirSync } from 'node:fs';
import module, { builtinModules, createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { hidden, importable, installPlace, isUnread, lazy, reworded } from '../globals.mjs';
import { installRefusals } from '../refusals.mjs';
import { apply, concat, create, defineProperty, isArray, match, own } from '../safe.mjs';
import { installStreams } from './streams.mjs';

const { process } = globalThis;
const { dirname, isAbsolute, join } = path;
const { getBuiltinModule, cwd } = process;
/** Where cells see the environment's libraries. */
const LIBRARIES = '/opt/cellblock/env/lib/node_modules';
/** What a cell's file is called where a file's name is asked for. */
const CELL = '[cell]';
/** Where modules come from that Node does not fetch. */
const ELSEWHERE = /^(npm|jsr|https?):/i;
const UNKNOWN = ['ERR_UNSUPPORTED_ESM_URL_SCHEME', 'MODULE_NOT_FOUND'];

function elsewhere(specifier, scheme) {
  const name = scheme === 'npm' && /^npm:\/?((?:@[^/@]+\/)?[^/@]+)(?:@[^/]*)?(\/.*)?$/.exec(specifier);
  const how = name
    ? `in Node.js a package is imported by its name alone, '${name[1]}${name[2] ?? ''}'`
    : 'Node.js imports packages that are there. `npm install NAME` adds one of npm\'s where the network is allowed; the libraries at hand need none';
  return `Cannot import '${specifier}': ${how}`;
}

function compiled(file) {
  const made = new module.Module(file);
  made._compile('module.exports = (specifier, options) => import(specifier, options)', file);
  return made;
}

export class Globals {
  install(kernel, host) {
    this.owner = host.owner;
    process.argv = [process.execPath];
    installStreams(kernel);
    installRefusals(kernel);
    this.filename = null;
    this.builtin = new Set();
    this.requires = create(null);
    this.importers = create(null);
    this.installRequire();
    installPlace(this);
    for (const name of builtinModules) {
      // The REPL's `crypto` is the module as well, which has all that the global has.
      if ((name in globalThis && name !== 'crypto') || name.includes('/') || name.startsWith('_')) continue;
      this.builtin.add(name);
      lazy(name, () => apply(getBuiltinModule, process, [name]));
    }
  }

  /** The file that the code would be. */
  file() {
    if (this.filename !== null) return this.filename;
    let directory = '/';
    try {
      directory = apply(cwd, process, []);
    } catch {}
    return join(directory, CELL);
  }

  directory() {
    return dirname(this.file());
  }

  url() {
    return pathToFileURL(this.file()).href;
  }

  begin({ argv, filename }) {
    if (isArray(argv)) process.argv = concat([process.execPath], argv);
    this.filename = typeof filename === 'string' && isAbsolute(filename) ? filename : null;
    if (this.filename === null) return;
    this.module.filename = this.module.id = this.filename;
  }

  installRequire() {
    const main = (this.module = new module.Module('.'));
    main.loaded = false;
    process.mainModule = main;
    const made = () => {
      const file = this.file();
      return (this.requires[file] ??= createRequire(file));
    };
    const told = (specifier, call) => {
      try {
        return call();
      } catch (error) {
        throw this.said(error, specifier);
      }
    };
    const require = function require(id) {
      return told(id, () => made()(id));
    };
    const resolve = (...rest) => told(rest[0], () => made().resolve(...rest));
    resolve.paths = (...rest) => made().resolve.paths(...rest);
    Object.assign(require, { resolve, main, extensions: module._extensions, cache: module._cache });
    this.require = require;
    hidden('require', require);
    hidden('module', main);
    hidden('exports', main.exports);
    defineProperty(main, 'paths', { configurable: true, get: () => module._nodeModulePaths(this.directory()) });
    main.require = require;
  }

  /** A function that imports as a module in this file does. */
  importer(file) {
    let made = this.importers[file];
    if (made === undefined) {
      // A module of CommonJS imports relative to its file. (`vm` can be told to, with a warning.)
      const { exports } = compiled(file);
      made = this.importers[file] = exports;
    }
    return made;
  }

  async load(specifier, options) {
    try {
      return await this.importer(this.file())(specifier, options);
    } catch (error) {
      if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !this.missing(error, specifier)) throw this.said(error, specifier);
      // Imports do not look where `require` does.
      for (const place of (process.env.NODE_PATH ?? '').split(':')) {
        if (!place.endsWith('/node_modules')) continue;
        try {
          return await this.importer(join(dirname(place), CELL))(specifier, options);
        } catch (other) {
          if (other?.code !== 'ERR_MODULE_NOT_FOUND' || !this.missing(other, specifier)) throw this.said(other, specifier, join(dirname(place), CELL));
        }
      }
      throw this.said(error, specifier);
    }
  }

  /** An error of Node's about a module, as one who works in a cell can use it, and with the name that the code has elsewhere. */
  said(error, specifier, file = this.file()) {
    const [, scheme] = (typeof specifier === 'string' && match(ELSEWHERE, specifier)) || [];
    if (scheme !== undefined && UNKNOWN.includes(error?.code)) reworded(error, error.message, elsewhere(specifier, scheme));
    return this.filename === null ? reworded(error, file, this.owner()?.name ?? CELL) : error;
  }

  /** Whether it is this package that is not there, and not one that it imports itself. */
  missing(error, specifier) {
    const bare = typeof specifier === 'string' && !/^(?:[./]|[a-z]+:)/.test(specifier);
    return bare && String(error.message).includes(`'${specifier.split('/').slice(0, specifier[0] === '@' ? 2 : 1).join('/')}' imported from`);
  }

  resolve(specifier) {
    if (/^(?:\.{0,2}\/|[a-z]+:)/.test(specifier)) return new URL(specifier, this.url()).href;
    const found = this.require.resolve(specifier);
    return isAbsolute(found) ? pathToFileURL(found).href : found.startsWith('node:') ? found : `node:${found}`;
  }

  isLazy(name) {
    if (name === 'process' || name === 'Buffer') return true;
    return this.builtin.has(name) && isUnread(name);
  }

  modules(prefix) {
    return importable(prefix, {
      builtin: builtinModules.filter((name) => !name.startsWith('_')),
      directory: this.directory(),
      places: [...this.module.paths, ...(process.env.NODE_PATH ?? '').split(':'), this.libraries()],
      list: (place) => readdirSync(place),
    });
  }

  /** Where the environment's libraries are. */
  libraries() {
    return process.env.CELLBLOCK_TEST_NODE_MODULES ?? LIBRARIES;
  }

  acorn() {
    return (this.parser ??= own(createRequire(import.meta.url)(join(this.libraries(), 'acorn'))));
  }
}
