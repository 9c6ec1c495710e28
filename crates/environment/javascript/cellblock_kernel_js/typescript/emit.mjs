// TypeScript's syntax that stands for code (enums, namespaces, parameter properties, decorators, `import x =`), and
// whatever else cannot be blanked out, is translated by esbuild; the source map says where things were.
//
// A process per translation: it takes as long as asking one that runs already would take to be loaded, and nothing
// stays. Names of the top level stay as they were declared, for there is nothing here to bundle.
import { spawn } from 'node:child_process';

const RAW = JSON.stringify({ compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true } });

/** Gives `{ javascript, map }`; fails with what esbuild said. */
export async function emitted(text, { libraries, name }) {
  const args = [
    '--loader=ts', '--target=esnext', '--charset=utf8', '--sourcemap=inline', '--sources-content=false',
    '--supported:decorators=false', '--log-level=error', '--color=false', `--sourcefile=${name}`, `--tsconfig-raw=${RAW}`,
  ];
  const { output, complaint, status } = await run(executable(libraries), args, text);
  if (status !== 0) throw new Error(complaint.trim() || `esbuild ended with ${status}`);
  const mark = output.lastIndexOf('//# sourceMappingURL=data:application/json;base64,');
  const map = JSON.parse(Buffer.from(output.slice(output.indexOf(',', mark) + 1).trim(), 'base64').toString());
  return { javascript: output.slice(0, mark), map };
}

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
