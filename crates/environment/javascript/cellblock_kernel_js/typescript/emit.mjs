// TypeScript's syntax that stands for code (enums, namespaces, parameter properties, decorators, `import x =`), and
// whatever else cannot be blanked out, is translated by esbuild; the source map says where things were.
//
// A process per translation: it takes as long as asking one that runs already would take to be loaded, and nothing
// stays. Names of the top level stay as they were declared, for there is nothing here to bundle.
//
// What decorators need is kept in variables beside the class (`_init`), which its constructor reads whenever it runs.
// They are names of the session's one scope: so those of earlier calls are named behind the text, which makes esbuild
// choose others. And they must not meet what the user called so in other calls, nor be seen among the names that there
// are: so each gets another first letter, which nobody writes and no completion offers.
import { spawn } from 'node:child_process';

const RAW = JSON.stringify({ compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true } });
const END = '"cellblock: what follows was only named"';
const MAP = '//# sourceMappingURL=data:application/json;base64,';

/**
 * Gives `{ javascript, map }`; fails with what esbuild said. `taken` is the set of names that earlier translations made
 * up; those of this one are added. Enums and namespaces go on with what has their name; those in `fresh` do not, and
 * those in `onto` are put into a class of an earlier call.
 * `siblings` declares what else is in those that do; `names` is what the call declares.
 */
export async function emitted(text, { libraries, name, taken, fresh = new Set(), onto = new Set(), siblings = '', names = new Map() }) {
  const args = [
    '--loader=ts', '--target=esnext', '--charset=utf8', '--sourcemap=inline', '--sources-content=false',
    '--supported:decorators=false', '--log-level=error', '--color=false', `--sourcefile=${name}`, `--tsconfig-raw=${RAW}`,
  ];
  // What is written in the text, be it in a string or behind an escape, shall be none of those.
  const known = new Set(text.match(WRITTEN));
  const { output, complaint, status } = await run(executable(libraries), args, `${text}\n${END};[${[...taken, ...known]}];${siblings}`);
  if (status !== 0) throw new Error(complaint.trim() || `esbuild ended with ${status}`);
  const map = output.lastIndexOf(MAP);
  let javascript = output.slice(0, output.lastIndexOf(END, map));
  for (const one of fresh) javascript = javascript.replace(`})(${one} || {});`, '})({});');
  for (const [one, { inner }] of names) if (inner) javascript = namespace(javascript, one, onto.has(one) ? '' : `var ${one} = ${fresh.has(one) ? '' : `${one} || `}{};`);
  const made = new Set();
  for (const [line] of javascript.matchAll(DECLARED)) for (const word of line.match(MADE_UP) ?? []) if (!known.has(word)) made.add(word);
  // What two underscores begin are helpers, the same in all.
  for (const word of made) if (word[1] !== '_') taken.add(word);
  javascript = javascript.replace(MADE_UP, (word) => (made.has(word) ? HIDDEN + word.slice(1) : word));
  return { javascript, map: JSON.parse(Buffer.from(output.slice(map + MAP.length).trim(), 'base64').toString()) };
}

/**
 * A namespace gets its object where it is declared and not where it is filled: a declaration takes the place of whatever
 * an earlier call declared, and what assigns a name is refused where that is a constant. One that goes on with a
 * function or a class has no declaration of its own.
 */
function namespace(javascript, name, declaration) {
  const word = name.replaceAll('$', '\\$');
  return javascript
    .replace(new RegExp(`^((?:export )?)var ${word};$`, 'm'), (_, before) => declaration && before + declaration)
    .replaceAll(new RegExp(`^\\}\\)\\(${word} \\|\\| \\(${word} = \\{\\}\\)\\);$`, 'gm'), () => `})(${name});`);
}

/** Names that begin as those do that esbuild makes up. */
const MADE_UP = /(?<![\p{ID_Continue}$])_[\p{ID_Continue}$]+/gu;
const WRITTEN = /_[\p{ID_Continue}$]+/gu;
/** Where they are declared: in lists at the top level, or with what they are. */
const DECLARED = /^(?:var|let|const) (?:[\p{ID_Continue}$]+, )*[\p{ID_Continue}$]+(?=;$| = )/gmu;
/** May begin a name, though it is no letter. */
const HIDDEN = '\u1885';

function executable(libraries) {
  return `${libraries}/@esbuild/linux-${process.arch}/bin/esbuild`;
}

function run(file, args, input) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' });
    const out = [];
    let complaint = '';
    child.on('error', reject);
    child.stdin.on('error', () => {});
    child.stdout.on('data', (bytes) => out.push(bytes));
    child.stderr.on('data', (bytes) => { complaint += bytes; });
    child.on('close', (status, signal) => {
      resolve({ output: Buffer.concat(out).toString(), complaint, status: status ?? signal });
    });
    child.stdin.end(input);
  });
}
