"""Files, programs and modules of the user's own: shared by Python, shell and both runtimes."""

import re

from .case import DENO, NODE, Call, Case

CASES = [
    Case("fs writes and reads: at once, by callback and by promise", [
        Call("""
            const fs = require('fs')
            fs.writeFileSync('notes.txt', 'eins\\nzwei\\n')
            fs.appendFileSync('notes.txt', 'drei\\n')
            console.log(fs.readFileSync('notes.txt', 'utf8').split('\\n').filter(Boolean).length)
            await fs.promises.writeFile('data.json', JSON.stringify({ a: [1, 2] }, null, 2))
            console.log(JSON.parse(await fs.promises.readFile('data.json', 'utf8')).a)
            console.log(await new Promise((done, fail) => fs.readFile('notes.txt', (error, data) => error ? fail(error) : done(data.length))))
            fs.mkdirSync('deep/er', { recursive: true }); fs.writeFileSync('deep/er/x.bin', Buffer.from([0, 255, 16]))
            console.log(fs.readdirSync('.').filter(name => /notes|data|deep/.test(name)).sort(), fs.statSync('deep/er/x.bin').size)
            fs.rmSync('deep', { recursive: true }); fs.unlinkSync('notes.txt'); fs.unlinkSync('data.json')
        """, out="3\n[ 1, 2 ]\n15\n[ 'data.json', 'deep', 'notes.txt' ] 3"),
        Call("require('fs').readFileSync('not-there.csv')", error="Error: ENOENT: no such file or directory, open 'not-there.csv'",
             at="1:15"),
    ]),
    Case("Python, JavaScript and the shell see the same files", [
        Call("import json; open('from_python.json', 'w').write(json.dumps({'rows': [1, 2, 3]})); None", language="python"),
        Call("const { rows } = JSON.parse(require('fs').readFileSync('from_python.json', 'utf8'))\n"
             "require('fs').writeFileSync('from_script.csv', 'n,square\\n' + rows.map(n => `${n},${n * n}`).join('\\n') + '\\n')\nrows.length", value="3"),
        Call("tail -1 from_script.csv", language="shell", out="3,9"),
        Call("print(open('from_script.csv').read().count(chr(10)))", language="python", out="4"),
        Call("rm from_script.csv from_python.json", language="shell"),
        Call("require('fs').existsSync('from_script.csv')", value="false"),
    ]),
    Case("programs are started from code", [
        Call("""
            const { execSync, spawnSync, exec } = require('node:child_process')
            console.log(execSync('echo $((6 * 7))').toString().trim(), spawnSync('sh', ['-c', 'echo err >&2; exit 3']).status)
            console.log((await require('util').promisify(exec)('python3 -c "print(2 ** 10)"')).stdout.trim())
        """, out="42 3\n1024"),
        Call("execSync('exit 4', { stdio: 'pipe' })", error="Error: Command failed: exit 4"),
        Call("""
            const child = require('child_process').spawn('cat')
            child.stdin.end('through a pipe')
            let got = ''
            for await (const chunk of child.stdout) got += chunk
            got
        """, value="'through a pipe'"),
        Call("execSync('echo straight out', { stdio: 'inherit' }); 0", out="straight out", value="0"),
    ]),
    Case("a file of one's own is imported and required", [
        Call("""
            const fs = require('fs')
            fs.writeFileSync('tax.mjs', 'export const rate = 0.2\\nexport default price => price * (1 + rate)\\n')
            fs.writeFileSync('legacy.cjs', "const path = require('path')\\nmodule.exports = { name: path.basename(__filename), twice: n => 2 * n }\\n")
            fs.writeFileSync('sizes.json', '{"s": 1, "l": 3}')
        """),
        Call("import withTax, { rate } from './tax.mjs'\nconsole.log(withTax(100), rate)", out="120 0.2"),
        Call("const { name, twice } = require('./legacy.cjs'); console.log(name, twice(4), require('./sizes.json').l)", out="legacy.cjs 8 3"),
        Call("console.log((await import('./tax.mjs')).rate, withTax(10))", out="0.2 12"),
        Call("for (const name of ['tax.mjs', 'legacy.cjs', 'sizes.json']) require('fs').unlinkSync(name)"),
    ]),
    Case("an error in a file of one's own is placed in it", [
        Call("require('fs').writeFileSync('helper.mjs', 'export function check(order) {\\n  return order.lines.length\\n}\\n')"),
        Call("import { check } from './helper.mjs'\ncheck({})", error="TypeError: Cannot read properties of undefined (reading 'length')",
             says=(re.compile(r"helper\.mjs:2:22"), re.compile(r"cell-\d+\.js:2:1"))),
        Call("await import('./no-such-file.mjs')", outcome="raised", says="no-such-file.mjs"),
        Call("require('fs').unlinkSync('helper.mjs')"),
    ]),
    Case("where the code is: __dirname, __filename, import.meta", [
        Call("console.log(__dirname, require('path').dirname(__filename), import.meta.dirname, import.meta.url.startsWith('file:///mnt/workspace/'))",
             out="/mnt/workspace /mnt/workspace /mnt/workspace true"),
    ], program=False),
    Case("Deno's own files and directories", [
        Call("""
            Deno.chdir('/mnt/workspace')
            await Deno.writeTextFile('deno.txt', 'by Deno\\n')
            console.log(await Deno.readTextFile('deno.txt'), Deno.cwd())
            console.log([...Deno.readDirSync('.')].some(entry => entry.name === 'deno.txt' && entry.isFile), (await Deno.stat('deno.txt')).size)
            await Deno.remove('deno.txt')
        """, out="by Deno\n /mnt/workspace\ntrue 8"),
        Call("Deno.readTextFileSync('gone.txt')", error="NotFound: No such file or directory"),
        Call("Deno.env.get('HOME') + (typeof Deno.version.deno)", value="'/home/userstring'"),
        Call("new TextDecoder().decode((await new Deno.Command('echo', { args: ['from', 'a', 'command'] }).output()).stdout)", value="'from a command\\n'"),
        Call("import { readFileSync } from 'node:fs'; typeof readFileSync", value="'function'"),
    ], runtimes=(DENO,)),
    Case("the directory is one for Python, JavaScript and the shell", [
        Call("mkdir -p project/src", language="shell"),
        Call("process.chdir('project')"),
        Call("import os; print(os.getcwd()); os.chdir('src')", language="python", out="/mnt/workspace/project"),
        Call("require('fs').writeFileSync('main.txt', 'x'); process.cwd()", value="'/mnt/workspace/project/src'"),
        Call("ls", language="shell", out="main.txt"),
        Call("process.chdir('/mnt/workspace'); require('fs').rmSync('project', { recursive: true })"),
        Call("print(os.getcwd())", language="python", out="/mnt/workspace"),
    ]),
    Case("Node.js has no Deno, and says so", [
        Call("Deno.chdir('/mnt/workspace')", error="ReferenceError: Deno is not defined", at="1:1"),
        Call("typeof Deno", value="'undefined'"),
    ], runtimes=(NODE,)),
]
