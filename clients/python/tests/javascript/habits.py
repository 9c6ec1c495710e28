"""How agents write, whatever else they know: programs with a main function, in pieces, over and over."""

import re

from .case import Call, Case

CASES = [
    Case("async function main() and its call", [
        Call("""
            async function main() {
              console.log('Starting...')
              await new Promise(resolve => setTimeout(resolve, 10))
              const result = [1, 2, 3].map(n => n ** 2)
              console.log('Result:', result)
            }

            main();
        """, out="Starting...\nResult: [ 1, 4, 9 ]"),
        Call("async function main() { console.log('again') }\nmain().catch(console.error)", out="again"),
    ]),
    Case("main().catch(console.error) prints what failed", [
        Call("async function main() { throw new Error('database is down') }\nmain().catch(console.error)",
             says=(re.compile(r"Error: database is down\n +at main \(.*:1:31\)"))),
    ]),
    Case("main().catch with process.exit(1) ends with that status", [
        Call("async function main() { throw new Error('fatal') }\nmain().catch(error => { console.error(error.message); process.exit(1) })",
             says="fatal", exits=1),
        Call("typeof main", value="'undefined'", says="variables of earlier calls are gone"),
    ]),
    Case("main().then with a final word", [
        Call("const main = async () => 42\nmain().then(answer => console.log('done', answer)).finally(() => console.log('closed'))", out="done 42\nclosed"),
    ]),
    Case("code within a function that calls itself", [
        Call("(async () => {\n  const x = await Promise.resolve(20)\n  console.log(x + 1)\n})()", out="21"),
        Call(";(function () { 'use strict'; var hidden = 1; console.log(typeof hidden) })();", out="number"),
        Call("typeof hidden", value="'undefined'"),
    ]),
    Case("the same requires and imports, call after call", [
        Call("const fs = require('fs');\nconst path = require('path');\nconsole.log(typeof fs.readFileSync)", out="function"),
        Call("const fs = require('fs');\nconst path = require('path');\nconsole.log(path.basename('/a/b.txt'))", out="b.txt"),
        Call("import fs from 'fs';\nimport path from 'path';\nimport { fileURLToPath } from 'url';\nconsole.log(fs.existsSync('/mnt/workspace'), path.sep)", out="true /"),
        Call("import fs from 'fs';\nimport { promises as fsp } from 'fs';\nconsole.log(typeof fsp.readFile, typeof fs.statSync)", out="function function"),
        Call("const fs = require('fs').promises;\nconsole.log(typeof fs.readFile)", out="function"),
    ]),
    Case("code with exports", [
        Call("export const TAX = 0.2;\nexport function gross(net) { return net * (1 + TAX) }\nexport default class Invoice { total() { return gross(100) } }\nconsole.log(gross(50))", out="60"),
        Call("new Invoice().total() + TAX", value="120.2"),
        Call("module.exports = { gross };\nexports.other = 1;\ntypeof module.exports.gross", value="'function'"),
        Call("const net = 10\nexport { net, net as price }\nnet", value="10"),
    ]),
    Case("the whole program again, with one line changed", [
        Call("const items = [3, 1, 2]\nclass Cart { constructor(items) { this.items = items } total() { return this.items.reduce((a, b) => a + b, 0) } }\nconst cart = new Cart(items)\nconsole.log(cart.total())", out="6"),
        Call("const items = [3, 1, 2, 10]\nclass Cart { constructor(items) { this.items = items } total() { return this.items.reduce((a, b) => a + b, 0) } }\nconst cart = new Cart(items)\nconsole.log(cart.total())", out="16"),
    ]),
    Case("require.main === module, and arguments", [
        Call("function cli(args) { console.log('run', args.length) }\nif (require.main === module) { cli(process.argv.slice(2)) }", out="run 0"),
    ]),
    Case("CSV made with string work, read back and reported", [
        Call("""
            const fs = require('fs');
            const rows = [['name', 'qty', 'price'], ['apple', 3, 0.5], ['pear', 2, 0.75]];
            fs.writeFileSync('report.csv', rows.map(r => r.join(',')).join('\\n'));
            const [header, ...lines] = fs.readFileSync('report.csv', 'utf-8').trim().split('\\n').map(l => l.split(','));
            const total = lines.reduce((sum, [, qty, price]) => sum + Number(qty) * Number(price), 0);
            console.log(`${header.join(' | ')}\\n${'-'.repeat(18)}\\nTotal: $${total.toFixed(2)}`);
            fs.unlinkSync('report.csv');
        """, out="name | qty | price\n------------------\nTotal: $3.00"),
    ]),
    Case("comments, directives, shebangs and empty calls", [
        Call("// only a comment"),
        Call("/* nothing */ ;"),
        Call("'use strict';\n\n'use strict'; let strict = 010 === 8", error="SyntaxError: ", at="3"),
        Call("#!/usr/bin/env node\nconsole.log('with a shebang')", out="with a shebang"),
        Call("console.log('no newline at the end')//", out="no newline at the end"),
        Call("<!-- old comment\n'\\u{1F600}'.length", value="2"),
    ]),
    Case("a test of one's own", [
        Call("""
            const assert = require('assert')
            function slug(text) { return text.toLowerCase().trim().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') }
            const tests = { 'lower case': () => assert.strictEqual(slug('Hello World'), 'hello-world'), 'no edges': () => assert.strictEqual(slug(' -x- '), 'y') }
            for (const [name, run] of Object.entries(tests)) {
              try { run(); console.log('✓', name) } catch (error) { console.log('✗', name, error.code) }
            }
        """, out="✓ lower case\n✗ no edges ERR_ASSERTION"),
    ]),
]
