"""Errors: whose they are, where they are, and what is left after them."""

import re

from .case import Call, Case

CASES = [
    Case("an error has its place in the caller's own text", [
        Call("""
            const data = { items: null }
            function total(order) {
              return order.items.length
            }

            console.log('before')
            total(data)
        """, out="before", error="TypeError: Cannot read properties of null (reading 'length')", at="3:22",
            says=re.compile(r"at total [\s\S]*:7:1\b")),
    ]),
    Case("of a syntax error in the middle nothing runs", [
        Call("let before = 'unharmed'"),
        Call("console.log('one')\nbefore = 'changed'\nconst broken = { a: 1,, b: 2 }\nconsole.log('two')",
             error="SyntaxError: Unexpected token ','", at="3", says="const broken = { a: 1,, b: 2 }"),
        Call("before", value="'unharmed'"),
    ]),
    Case("text that ends too early is a syntax error with its line", [
        Call("function half() {\n  if (true) {\n    return 1\n  }\n", error="SyntaxError: Unexpected end of input"),
        Call("const s = 'never closed\n1", error="SyntaxError: Invalid or unexpected token", at="1"),
        Call("await = 1", error="SyntaxError: "),
        Call("return 5", error="SyntaxError: ", at="1"),
    ]),
    Case("a rejection that nobody awaits belongs to its call", [
        Call("let survives = 1\nconst work = async () => { throw new RangeError('nobody waits for this') }"),
        Call("work()\nconsole.log('went on')", out="went on", error="RangeError: nobody waits for this"),
        Call("Promise.reject(new Error('bare'))\n1", value="1", error="Error: bare", at="1:16", says=("Nobody handled this rejection",)),
        Call("Promise.reject(new Error('caught')).catch(e => console.log('handled', e.message))", out="handled caught"),
        Call("survives", value="1"),
    ]),
    Case("an exception in a callback belongs to the call that waits", [
        Call("setTimeout(() => { throw new TypeError('in a timer') }, 5)\nawait new Promise(done => setTimeout(done, 200))",
             error="TypeError: in a timer", at="1:26"),
        Call("'still here'", value="'still here'"),
    ]),
    Case("a rejected promise as the last value raises", [
        Call("(async () => { await null; throw new Error('from main') })()", error="Error: from main", at="1:34"),
        Call("await Promise.any([Promise.reject(new Error('a')), Promise.reject(new Error('b'))])",
             error="AggregateError: All promises were rejected", says=("Error: a", "Error: b")),
    ]),
    Case("causes are told", [
        Call("""
            function load() { throw new Error('connection refused') }
            try { load() } catch (error) { throw new Error('failed to load users', { cause: error }) }
        """, error="Error: failed to load users", at="2:38", says=("cause", "Error: connection refused", re.compile(r":1:25"))),
        Call("throw new AggregateError([new Error('first'), new TypeError('second')], 'two of them')",
             error="AggregateError: two of them", says=("first", "TypeError: second")),
    ]),
    Case("errors of one's own class keep their name and fields", [
        Call("""
            class ValidationError extends Error {
              constructor(field, message) { super(message); this.name = 'ValidationError'; this.field = field }
            }
            throw new ValidationError('email', 'not an address')
        """, error="ValidationError: not an address", at="4:7", says="field: 'email'"),
        Call("try { throw new ValidationError('age', 'too young') } catch (e) { console.log(e.field, e instanceof Error, `${e}`) }",
             out="age true ValidationError: too young"),
    ]),
    Case("what is thrown need not be an error", [
        Call("throw 'just a text'", says="just a text", outcome="raised"),
        Call("throw { code: 42 }", says="code: 42", outcome="raised"),
        Call("throw null", says="null", outcome="raised"),
        Call("throw undefined", outcome="raised", says="undefined"),
        Call("await Promise.reject('a text again')", outcome="raised", says="a text again"),
        Call("1", value="1"),
    ]),
    Case("a stack overflow is a RangeError, and variables are kept", [
        Call("let deep = 0\nconst recurse = () => { deep++; return recurse() + 1 }"),
        Call("recurse()", error="RangeError: Maximum call stack size exceeded"),
        Call("deep > 1000", value="true"),
        Call("JSON.stringify([1, 2])", value="'[1,2]'"),
    ]),
    Case("names that are not there are named", [
        Call("console.log(df.head())", error="ReferenceError: df is not defined", at="1:13"),
        Call("[1, 2].maps(x => x)", error="TypeError: [1,2].maps is not a function", at="1:8"),
        Call("const { a } = undefined", error="TypeError: "),
        Call("new Array(-1)", error="RangeError: Invalid array length", at="1:1"),
        Call("decodeURIComponent('%')", error="URIError: URI malformed"),
        Call("null.x", error="TypeError: Cannot read properties of null (reading 'x')", at="1:6"),
    ]),
    Case("finally runs, and what was printed before an error is there", [
        Call("try { console.log('try'); throw new Error('x') } finally { console.log('finally') }",
             out="try\nfinally", error="Error: x", at="1:33"),
        Call("const tried = (() => { try { return 'try' } finally { console.log('cleanup') } })()\nconsole.log(tried)",
             out="cleanup\ntry"),
    ]),
    Case("an error that is printed is only printed", [
        Call("try { JSON.parse('{') } catch (error) { console.log(error.name, error.message.slice(0, 20)); console.error(error) }",
             out="SyntaxError Expected property na", says="SyntaxError: Expected property name"),
    ]),
    Case("the stack shows the caller's lines, and nothing of the interpreter", [
        Call("const outer = () => inner()\nfunction inner() { throw new Error('deep') }"),
        Call("1\nouter()", error="Error: deep", at="2:26",
             says=(re.compile(r"at inner \(.*:2:26\)"), re.compile(r"at outer \(.*:1:21\)")), never=("cellblock_kernel", "node:internal", "ext:")),
    ]),
    Case("an AbortController stops what listens", [
        Call("""
            const stop = new AbortController()
            setTimeout(() => stop.abort(new Error('took too long')), 5)
            await new Promise((done, fail) => stop.signal.addEventListener('abort', () => fail(stop.signal.reason)))
        """, error="Error: took too long", at="2:29"),
        Call("AbortSignal.abort().throwIfAborted()", error="AbortError"),
        Call("(await Promise.race([new Promise(done => setTimeout(done, 5000, 'slow')), AbortSignal.timeout(5) && 'fast']))", value="'fast'"),
    ]),
]
