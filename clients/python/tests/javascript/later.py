"""What outlives its call, and what goes on beside it: timers, workers, streams, events."""

import re

from .case import NODE, Call, Case

LATE = re.compile("(?i)output of an earlier call")

CASES = [
    Case("a timer that outlives its call is heard in the next, and said to be late", [
        Call("setTimeout(() => console.log('at last'), 30); console.log('now')", out="now"),
        Call("await new Promise(done => setTimeout(done, 300)); console.log('then')", out=re.compile("^(?=[\\s\\S]*at last)(?=[\\s\\S]*then)"),
             says=LATE),
        Call("console.log('quiet')", out="quiet"),
    ], program=False),
    Case("a program waits for its timers", [
        Call("setTimeout(() => console.log('two'), 20); setImmediate(() => console.log('one')); console.log('zero')\n"
             "await new Promise(done => setTimeout(done, 100))", out="zero\none\ntwo"),
    ]),
    Case("an interval goes on until it is cleared", [
        Call("let ticks = 0; const ticker = setInterval(() => ticks++, 5)"),
        Call("await new Promise(done => setTimeout(done, 100)); clearInterval(ticker); const at = ticks; at > 2", value="true"),
        Call("await new Promise(done => setTimeout(done, 30)); ticks === at", value="true"),
    ]),
    Case("an error of an earlier call's timer is told, and does no harm", [
        Call("setTimeout(() => { throw new Error('too late') }, 20); 0", value="0"),
        Call("await new Promise(done => setTimeout(done, 200)); 'fine'", value="'fine'", says="Error: too late"),
    ], program=False),
    Case("microtasks, timers and immediates come in their order", [
        Call("""
            setTimeout(() => console.log('timer'), 0)
            process.nextTick(() => console.log('tick'))
            queueMicrotask(() => console.log('microtask'))
            Promise.resolve().then(() => console.log('then'))
            console.log('now')
            await new Promise(done => setTimeout(done, 50))
        """, out=re.compile("^now\n(tick\n|microtask\nthen\n){2}timer$")),
    ]),
    Case("a worker thread computes and answers", [
        Call("""
            const { Worker } = require('node:worker_threads')
            const worker = new Worker(`
              const { parentPort, workerData } = require('node:worker_threads')
              let sum = 0
              for (let i = 1; i <= workerData; i++) sum += i
              parentPort.postMessage(sum)
            `, { eval: true, workerData: 1000 })
            const sum = await new Promise((done, fail) => worker.once('message', done).once('error', fail))
            console.log(sum)
            await worker.terminate()
            sum
        """, out="500500", value="500500"),
    ]),
    Case("a worker's output arrives", [
        Call("""
            const { Worker } = require('worker_threads')
            const talker = new Worker("console.log('from the worker')", { eval: true })
            await new Promise(done => talker.once('exit', done))
            await new Promise(done => setTimeout(done, 50))
        """, out="from the worker"),
    ]),
    Case("a worker's error is heard by who listens, and nobody else", [
        Call("""
            const failing = new (require('worker_threads').Worker)("throw new Error('in the worker')", { eval: true })
            console.log(await new Promise(done => failing.once('error', error => done(error.message))))
        """, out="in the worker"),
    ], runtimes=(NODE,)),
    Case("streams are piped, transformed and collected", [
        Call("""
            const { pipeline } = require('node:stream/promises')
            const { Readable, Transform } = require('node:stream')
            const zlib = require('node:zlib')
            const upper = new Transform({ transform(chunk, _, done) { done(null, chunk.toString().toUpperCase()) } })
            const parts = []
            await pipeline(Readable.from(['one ', 'two ', 'three']), upper, async function* (source) { for await (const chunk of source) parts.push(chunk.toString()) })
            console.log(parts.join(''))
            console.log(zlib.gunzipSync(zlib.gzipSync('x'.repeat(10_000))).length)
        """, out="ONE TWO THREE\n10000"),
        Call("""
            const body = new ReadableStream({ start(c) { for (const n of [1, 2, 3]) c.enqueue(n); c.close() } })
            const doubled = body.pipeThrough(new TransformStream({ transform(n, c) { c.enqueue(n * 2) } }))
            const all = []
            for await (const n of doubled) all.push(n)
            console.log(all, await new Response(new Blob(['a', 'b']).stream()).text())
        """, out="[ 2, 4, 6 ] ab"),
    ], joined=True),
    Case("a file is written and read as a stream, line by line", [
        Call("""
            const fs = require('fs'), readline = require('readline')
            const out = fs.createWriteStream('lines.txt')
            for (let i = 0; i < 1000; i++) out.write(`line ${i}\\n`)
            await new Promise(done => out.end(done))
            let count = 0, last
            for await (const line of readline.createInterface({ input: fs.createReadStream('lines.txt') })) { count++; last = line }
            console.log(count, last)
            fs.unlinkSync('lines.txt')
        """, out="1000 line 999"),
    ]),
    Case("events are emitted and listened to", [
        Call("const { EventEmitter, once } = require('events')\nconst bus = new EventEmitter()\nbus.on('paid', (id, sum) => console.log('paid', id, sum)); 0", value="0"),
        Call("console.log(bus.emit('paid', 7, 9.5), bus.emit('unheard'))", out="paid 7 9.5\ntrue false"),
        Call("setTimeout(() => bus.emit('done', 'result'), 5); console.log(await once(bus, 'done'))", out="[ 'result' ]"),
        Call("bus.emit('error', new Error('nobody listens'))", error="Error: nobody listens", at="1:19"),
    ]),
    Case("async work in order, side by side, and with a limit", [
        Call("""
            const sleep = ms => new Promise(done => setTimeout(done, ms))
            async function pool(jobs, size) {
              const results = []; let next = 0
              await Promise.all(Array.from({ length: size }, async () => { while (next < jobs.length) { const i = next++; results[i] = await jobs[i]() } }))
              return results
            }
            const started = performance.now()
            const results = await pool(Array.from({ length: 10 }, (_, i) => async () => { await sleep(10); return i * i }), 5)
            console.log(results.join(), performance.now() - started < 5000)
        """, out="0,1,4,9,16,25,36,49,64,81 true"),
        Call("const told = []; for await (const x of (async function* () { for (const n of [3, 1, 2]) { await sleep(n); yield n } })()) told.push(x); told",
             value="[ 3, 1, 2 ]"),
    ]),
    Case("a server in the cell is reached from the cell", [
        Call("""
            const http = require('node:http')
            const server = http.createServer((request, response) => { response.setHeader('content-type', 'application/json'); response.end(JSON.stringify({ path: request.url, method: request.method })) })
            await new Promise(done => server.listen(0, '127.0.0.1', done))
            const base = `http://127.0.0.1:${server.address().port}`
        """),
        Call("const answer = await fetch(`${base}/users?id=1`)\nconsole.log(answer.status, await answer.json())",
             out="200 { path: '/users?id=1', method: 'GET' }"),
        Call("await new Promise(done => { server.close(done); server.closeAllConnections() }); server.listening", value="false"),
    ]),
]
