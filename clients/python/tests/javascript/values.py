"""How values are shown: as the last value of a call, and by console."""

import re

from .case import By, Call, Case

CASES = [
    Case("numbers and BigInt", [
        Call("2n ** 64n", value="18446744073709551616n"),
        Call("[0.1 + 0.2, -0, NaN, 1e21, 1_000_000]", value="[ 0.30000000000000004, -0, NaN, 1e+21, 1000000 ]"),
        Call("console.log(BigInt(Number.MAX_SAFE_INTEGER) + 2n, typeof 1n, 7n / 2n)", out="9007199254740993n bigint 3n"),
        Call("1n + 1", error="TypeError: Cannot mix BigInt and other types, use explicit conversions", at="1:4"),
        Call("JSON.stringify({ n: 1n })", error="TypeError: Do not know how to serialize a BigInt"),
    ]),
    Case("undefined is not shown, null is", [
        Call("undefined"),
        Call("let nothing"),
        Call("null", value="null"),
        Call("[undefined, null, , 'x']", value=By(node="[ undefined, null, <1 empty item>, 'x' ]",
                                                 deno=re.compile(r"\[ undefined, null, <1 empty item>, ['\"]x['\"] \]"))),
    ]),
    Case("strings, with what must be escaped", [
        Call("'plain'", value="'plain'"),
        Call("`it's ${1 + 1}`", value='"it\'s 2"'),
        Call("console.log(`line one\n  line \"two\"`)", out='line one\n  line "two"'),
        Call("'ä☃👩‍🚀'.length + [...'ä☃👩‍🚀'].length", value="12"),
        Call("String.raw`C:\\temp\\new` + 'x'", value="'C:\\\\temp\\\\newx'"),
    ]),
    Case("Map and Set, nested", [
        Call("const stock = new Map([['pear', { n: 1, tags: new Set(['green', 'ripe']) }], ['fig', { n: 2, tags: new Set() }]])\nstock",
             value="""
                 Map(2) {
                   'pear' => { n: 1, tags: Set(2) { 'green', 'ripe' } },
                   'fig' => { n: 2, tags: Set(0) {} }
                 }
             """),
        Call("console.log(stock.get('pear').tags, [...stock.keys()])", out="Set(2) { 'green', 'ripe' } [ 'pear', 'fig' ]"),
        Call("new Map([[{ id: 1 }, new Map([['a', new Map()]])]])", value="Map(1) { { id: 1 } => Map(1) { 'a' => Map(0) {} } }"),
    ]),
    Case("nested data is shown to its depth", [
        Call("({ user: { name: 'Ada', roles: ['admin', 'dev'], address: { city: { name: 'Paris' } } } })", value="""
            {
              user: {
                name: 'Ada',
                roles: [ 'admin', 'dev' ],
                address: { city: { name: 'Paris' } }
              }
            }
        """),
    ]),
    Case("class instances by their names, null prototypes, symbols", [
        Call("class Point { constructor(x, y) { this.x = x; this.y = y } }\nnew Point(1, 2)", value="Point { x: 1, y: 2 }"),
        Call("class Empty {}\n[new Empty(), Empty]", value=re.compile(r"\[ Empty \{\}, \[class Empty\] \]")),
        Call("const bare = Object.create(null); bare.a = 1; bare", value="[Object: null prototype] { a: 1 }"),
        Call("({ [Symbol('key')]: 1, s: Symbol.iterator })",
             value=re.compile(r"^\{ (s: Symbol\(Symbol.iterator\), \[?Symbol\(key\)\]?: 1|\[?Symbol\(key\)\]?: 1, s: Symbol\(Symbol.iterator\)) \}$")),
        Call("[function named() {}, () => {}, async function* stream() {}, class extends Point {}]",
             value=re.compile(r"\[Function: named\][\s\S]*\[Function \(anonymous\)\][\s\S]*\[AsyncGeneratorFunction: stream\][\s\S]*extends Point")),
    ]),
    Case("getters are not run, proxies not asked, circles not followed", [
        Call("let ran = 0; const careful = { get price() { ran++; return 1 }, set price(v) {} }; careful", value="{ price: [Getter/Setter] }"),
        Call("ran", value="0"),
        Call("const asked = []\nnew Proxy({ a: 1 }, { get(t, k) { asked.push(String(k)); return t[k] }, ownKeys(t) { asked.push('keys'); return Reflect.ownKeys(t) } })",
             value="{ a: 1 }"),
        Call("asked.length", value="0"),
        Call("const circle = { name: 'loop' }; circle.self = circle; circle", value="<ref *1> { name: 'loop', self: [Circular *1] }"),
    ]),
    Case("an object that fails while it is shown is an object all the same", [
        Call("({ [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('no') }, [Symbol.for('Deno.customInspect')]() { throw new Error('no') }, a: 1 })",
             value=re.compile("a: 1")),
        Call("1", value="1"),
    ]),
    Case("typed arrays, buffers and dates", [
        Call("new Float64Array([1.5, 2])", value="Float64Array(2) [ 1.5, 2 ]"),
        Call("Buffer.from('häh')", value=By(node="<Buffer 68 c3 a4 68>", deno=re.compile("68 c3 a4 68|104, 195, 164, 104"))),
        Call("Buffer.from('hello').toString('base64') + Buffer.concat([Buffer.from([1]), Buffer.alloc(2)]).length", value="'aGVsbG8=3'"),
        Call("new Uint8Array(new Uint16Array([1, 256]).buffer)", value="Uint8Array(4) [ 1, 0, 0, 1 ]"),
        Call("new Date(Date.UTC(2024, 1, 29, 12))", value="2024-02-29T12:00:00.000Z"),
        Call("console.log(new Date('2024-02-29T12:00:00Z').toISOString(), new Date('no').getTime())",
             out="2024-02-29T12:00:00.000Z NaN"),
    ]),
    Case("large values are cut, and that is said in their own words", [
        Call("Array.from({ length: 1000 }, (_, i) => i)", value=re.compile(r"900 more items")),
        Call("'x'.repeat(1_000_000).length", value="1000000"),
        Call("Array.from({ length: 10_000 }, (_, i) => ({ id: i, name: 'user ' + i, nested: { deep: { deeper: [i] } } })).length", value="10000"),
    ]),
    Case("JSON of more than 10 MB", [
        Call("const rows = Array.from({ length: 150_000 }, (_, id) => ({ id, name: `name of ${id}`, tags: ['a', 'b'], score: id / 7 }))\n"
             "const text = JSON.stringify(rows)\nconsole.log(text.length > 10_000_000, rows.length)", out="true 150000"),
        Call("const back = JSON.parse(text)\nconsole.log(back.length, back[149_999].name, back.reduce((sum, row) => sum + row.id, 0))",
             out="150000 name of 149999 11249925000"),
        Call("require('fs').writeFileSync('rows.json', text)\nconsole.log(JSON.parse(require('fs').readFileSync('rows.json', 'utf8')).length)",
             out="150000"),
        Call("import json, os; print(len(json.load(open('rows.json')))); os.remove('rows.json')", language="python", out="150000"),
    ]),
    Case("a circular object is no JSON", [
        Call("const node = { name: 'a' }\nnode.child = { parent: node }\nJSON.stringify(node)",
             error="TypeError: Converting circular structure to JSON", at="3:6", says="property 'parent' closes the circle"),
    ]),
    Case("console formats as its callers expect", [
        Call("console.log('%s is %d years and %i, %f, %j, %%', 'Ada', 36.5, 36.9, 1.5, { a: 1 })",
             out=By(node="Ada is 36.5 years and 36, 1.5, {\"a\":1}, %", deno="Ada is 36 years and 36, 1.5, {\"a\":1}, %")),
        Call("console.log('%o', [1, { a: 2 }]); console.log('%c styled', 'color: red'); console.log('a', 1, null, [1], { b: 2 })",
             out=re.compile(r"1, \{ a: 2 \}[\s\S]*\n styled\na 1 null \[ 1 \] \{ b: 2 \}$")),
        Call("console.error('to stderr'); console.warn('warned'); console.info('info'); console.debug('debug')",
             out="info\ndebug", says=("to stderr", "warned")),
        Call("console.group('outer'); console.log('inner'); console.groupEnd(); console.log('after')", out="outer\n  inner\nafter"),
        Call("console.count(); console.count('x'); console.assert(1 === 2, 'sums'); console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 })",
             out=re.compile(r"default: 1\nx: 1\n\{ a: \[Object\] \}"), says="Assertion failed: sums"),
    ]),
    Case("console.table draws a table", [
        Call("console.table([{ name: 'Ada', age: 36 }, { name: 'Bob', age: 41 }])", out=re.compile(
            r"│ \(?(index|idx)\)? *│ *name *│ *age *│[\s\S]*│ *0 *│ *'?\"?Ada'?\"? *│ *36 *│")),
        Call("console.table([[1, 2], [3, 4]], ['1'])", out=re.compile(r"│ *1 *│ *4 *│")),
    ]),
    Case("a promise as the last value is waited for", [
        Call("Promise.resolve({ rows: 3 })", value="{ rows: 3 }"),
        Call("async function fetchAll() { await new Promise(done => setTimeout(done, 5)); return [1, 2] }\nfetchAll()", value="[ 1, 2 ]"),
        Call("Promise.allSettled([Promise.resolve(1), Promise.reject(new Error('no'))]).then(all => all.map(one => one.status))",
             value="[ 'fulfilled', 'rejected' ]"),
        Call("(async () => { await null })()"),
    ]),
]
