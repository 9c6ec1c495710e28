"""What the platform gives: globals, Intl, URL, crypto, time, process."""

import re

from .case import DENO, Call, Case

CASES = [
    Case("regular expressions with names, flags and lookbehind", [
        Call(r"""
            const log = '2024-02-29 ERROR disk=93% 2024-03-01 WARN disk=81%'
            const found = [...log.matchAll(/(?<day>\d{4}-\d\d-\d\d) (?<level>[A-Z]+) (?:disk=(?<use>\d+)%)/g)].map(m => ({ ...m.groups }))
            console.log(found)
            console.log('a1b22'.replace(/\d+/g, n => `<${n * 2}>`), /(?<=€)\d+/u.exec('€42')[0], /\p{Lu}/u.test('Ä'), 'a,b;c'.split(/[,;]/))
        """, out="""
            [
              { day: '2024-02-29', level: 'ERROR', use: '93' },
              { day: '2024-03-01', level: 'WARN', use: '81' }
            ]
            a<2>b<44> 42 true [ 'a', 'b', 'c' ]
        """),
    ]),
    Case("dates and Intl", [
        Call("""
            const when = new Date(Date.UTC(2024, 1, 29, 15, 4, 5))
            console.log(when.toISOString(), when.getTimezoneOffset(), new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(when))
            console.log(new Intl.NumberFormat('de-DE', { style: 'currency', currency: 'EUR' }).format(1234.5).replace(/\\s/g, ' '), (1234567.891).toLocaleString('en-US'))
            console.log(['z', 'ä', 'a'].sort(new Intl.Collator('de').compare).join(''), new Intl.PluralRules('en', { type: 'ordinal' }).select(2), new Intl.ListFormat('en').format(['a', 'b', 'c']))
            console.log(new Date(when.getTime() + 864e5).toLocaleDateString('en-US', { weekday: 'long', timeZone: 'America/New_York' }))
        """, out="""
            2024-02-29T15:04:05.000Z 0 29 February 2024
            1.234,50 € 1,234,567.891
            aäz two a, b, and c
            Friday
        """),
    ]),
    Case("URL, URLSearchParams, base64 and text encoders", [
        Call("""
            const url = new URL('/search?q=a%20b&tag=x&tag=y#top', 'https://example.com:8443/base')
            console.log(url.href, url.searchParams.get('q'), url.searchParams.getAll('tag'), url.port, url.hash)
            console.log(btoa('hello'), atob('aGVsbG8='), new TextDecoder().decode(new TextEncoder().encode('häh')), encodeURIComponent('a b&ü'))
            console.log(new URLSearchParams({ page: '2', q: 'é' }).toString(), URL.canParse('nope'))
        """, out="""
            https://example.com:8443/search?q=a%20b&tag=x&tag=y#top a b [ 'x', 'y' ] 8443 #top
            aGVsbG8= hello häh a%20b%26%C3%BC
            page=2&q=%C3%A9 false
        """),
    ]),
    Case("structuredClone copies, performance measures", [
        Call("const source = { when: new Date(0), map: new Map([[1, { a: 1 }]]), big: 1n }; source.self = source\n"
             "const copy = structuredClone(source); copy.map.get(1).a = 2\nconsole.log(source.map.get(1).a, copy.self === copy, copy.when instanceof Date)",
             out="1 true true"),
        Call("structuredClone(() => 1)", error="DataCloneError"),
        Call("const t0 = performance.now(); await new Promise(d => setTimeout(d, 20)); const took = performance.now() - t0; took > 15 && took < 5000", value="true"),
        Call("console.time('t'); console.timeEnd('t')", out=re.compile(r"^t: [\d.]+ ?ms$")),
    ]),
    Case("crypto hashes and makes identifiers", [
        Call("""
            const crypto = require('crypto')
            console.log(crypto.createHash('sha256').update('abc').digest('hex').slice(0, 16))
            console.log(crypto.createHmac('sha1', 'key').update('data').digest('base64'), crypto.randomBytes(8).length)
            console.log(/^[0-9a-f-]{36}$/.test(globalThis.crypto.randomUUID()), new Uint8Array(await globalThis.crypto.subtle.digest('SHA-1', new TextEncoder().encode('abc')))[0])
        """, out="ba7816bf8f01cfea\nEEFSxb/coHvGM+69RhmfAlXJ9J0= 8\ntrue 169"),
    ]),
    Case("process tells of itself", [
        Call("console.log(typeof process.pid, process.platform, process.argv.length >= 1, process.env.HOME, process.cwd(), typeof process.version)",
             out="number linux true /home/user /mnt/workspace string"),
        Call("process.env.MODE = 'test'; process.env.MODE + require('os').EOL.length", value="'test1'"),
        Call("process.memoryUsage().heapUsed > 1e6 && process.uptime() > 0 && process.hrtime.bigint() > 0n", value="true"),
        Call("process.stdout.write('no newline'); process.stderr.write('aside\\n')", out=re.compile("^no newline"), says="aside", value=re.compile("^true$|")),
    ]),
    Case("modules of the platform are there by name, with and without node:", [
        Call("const path = require('path'), util = require('node:util'), assert = require('assert/strict')\n"
             "console.log(path.join('a', '..', 'b.txt'), path.extname('x.tar.gz'), util.format('%s=%d', 'a', 1), util.isDeepStrictEqual({ a: [1] }, { a: [1] }))",
             out="b.txt .gz a=1 true"),
        Call("assert.deepEqual({ a: 1 }, { a: 2 })", error="AssertionError", says="strictly deep-equal"),
        Call("assert.equal(1, 1); os.platform() + fs.existsSync('/nowhere')", value="'linuxfalse'"),
    ]),
    Case("no input comes: questions fail at once, and all else ends", [
        Call("const readline = require('readline/promises')\nconst rl = readline.createInterface({ input: process.stdin })\nlet heard = 0\nfor await (const line of rl) heard++\nheard",
             value="0"),
        Call("const name = await rl.question('Your name? ')", error="Error: readline's question() has nobody to ask: "),
        Call("require('fs').readFileSync(0, 'utf8').length", value="0"),
    ]),
    Case("Deno answers a prompt with nothing, and says why", [
        Call("console.log(prompt('Name?'), confirm('Sure?'))", out=re.compile("null false$"),
             says=("prompt() has nobody to ask: ", "confirm() has nobody to ask: ")),
    ], runtimes=(DENO,)),
    Case("the network refuses, at once and by name", [
        Call("await fetch('https://example.com/data.json')", error="TypeError: ", says=re.compile("(?i)fetch failed|error sending request")),
        # A server with a list says on some edges what is not on it.
        Call("try { await fetch('http://10.1.2.3:80/') } catch (error) { console.log('refused', error.name) }", out="refused TypeError", says=re.compile("^$|is not on this session's list")),
        Call("await require('dns/promises').lookup('example.com')", outcome="raised", says=re.compile("EAI_AGAIN|ENOTFOUND")),
    ]),
    Case("WeakRef, Proxy, Reflect, Symbol and iterators", [
        Call("""
            const logged = []
            const watched = new Proxy({}, { set(t, k, v) { logged.push(`${String(k)}=${v}`); return Reflect.set(t, k, v) }, has: () => true, deleteProperty() { return false } })
            watched.a = 1; watched[Symbol.for('s')] = 2
            class Range { constructor(n) { this.n = n } *[Symbol.iterator]() { for (let i = 0; i < this.n; i++) yield i } get [Symbol.toStringTag]() { return 'Range' } }
            console.log(logged, 'any' in watched, [...new Range(3)], Math.max(...new Range(5)), String(new Range(1)), new WeakRef({ a: 1 }).deref().a)
            console.log(Object.groupBy([1, 2, 3], n => n % 2 ? 'odd' : 'even').odd, [3, 1, 2].toSorted(), [1, [2, [3]]].flat(Infinity), Object.fromEntries(new Map([['a', 1]])), [1, 2, 3].at(-1))
            console.log(new Set([1, 2, 3]).intersection(new Set([2, 3, 4])), Iterator.from([1, 2, 3]).map(n => n * 2).toArray(), 'abc'.replaceAll('b', '-'))
        """, out="""
            [ 'a=1', 'Symbol(s)=2' ] true [ 0, 1, 2 ] 4 [object Range] 1
            [ 1, 3 ] [ 1, 2, 3 ] [ 1, 2, 3 ] { a: 1 } 3
            Set(2) { 2, 3 } [ 2, 4, 6 ] a-c
        """),
    ]),
]
