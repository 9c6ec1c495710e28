"""What code declares: it stays for later calls, and may be declared again."""

from .case import Call, Case

CASES = [
    Case("a class declared twice is the later one", [
        Call("class Account { balance() { return 1 } }\nconst old = new Account()"),
        Call("class Account { balance() { return 2 } }\n[old.balance(), new Account().balance(), old instanceof Account]",
             value="[ 1, 2, false ]"),
    ]),
    Case("let, const and var may be declared again, in another form", [
        Call("const rate = 1; let total = 2; var name = 'a'"),
        Call("let rate = rate_of(); function rate_of() { return 10 }\nconst total = 20; var name = 'b';\n[rate, total, name]",
             value="[ 10, 20, 'b' ]"),
        Call("function total() { return 'called' }\n[rate, total()]", value="[ 10, 'called' ]"),
    ]),
    Case("a constant cannot be assigned to, not by a later call either", [
        Call("const fixed = 1"),
        Call("fixed = 2", error="TypeError: Assignment to constant variable.", at="1:7"),
        Call("fixed", value="1"),
    ]),
    Case("closures are kept from call to call", [
        Call("function counter() { let n = 0; return { add: () => ++n, get: () => n } }\nconst c = counter()"),
        Call("c.add(); c.add(); console.log(c.get())", out="2"),
        Call("console.log(c.add())", out="3"),
    ], joined=True),
    Case("a generator goes on where the last call left it", [
        Call("function* fibonacci() { let [a, b] = [0, 1]; for (;;) { yield a; [a, b] = [b, a + b] } }\nconst f = fibonacci()"),
        Call("const five = []; for (const n of f) { five.push(n); if (n > 2) break }\nconsole.log(five.join(' '))",
             out="0 1 1 2 3"),
        Call("console.log(f.next())", out="{ value: undefined, done: true }"),
    ], joined=True),
    Case("a generator taken by hand is not ended", [
        Call("const squares = (function* () { for (let n = 1; ; n++) yield n * n })(); squares.next(); squares.next()",
             value="{ value: 4, done: false }"),
        Call("squares.next().value", value="9"),
    ]),
    Case("async generators and for await", [
        Call("async function* pages(n) { for (let i = 1; i <= n; i++) { await new Promise(done => setTimeout(done, 2)); yield { page: i } } }"),
        Call("const seen = []\nfor await (const { page } of pages(3)) seen.push(page)\nconsole.log(seen)", out="[ 1, 2, 3 ]"),
        Call("console.log(await Array.fromAsync(pages(2), page => page.page * 10))", out="[ 10, 20 ]"),
    ], joined=True),
    Case("functions are hoisted, and var is undefined before its line", [
        Call("console.log(twice(4), typeof later)\nvar later = 1\nfunction twice(n) { return n * 2 }", out="8 undefined"),
    ]),
    Case("what is not declared yet cannot be read", [
        Call("console.log(early)\nlet early = 1", error="ReferenceError: ", at="1:13"),
        Call("let early = 2\nearly", value="2"),
    ]),
    Case("a name whose call raised can be declared again", [
        Call("const config = JSON.parse('{broken')", error="SyntaxError: Expected property name or '}' in JSON"),
        Call("const config = { ok: true }\nconfig.ok", value="true"),
    ]),
    Case("destructuring declares, with defaults and the rest", [
        Call("""
            const { a, b: { c = 5, ...others }, ...rest } = { a: 1, b: { d: 2, e: 3 }, x: 9 }
            const [first, , third = 'none', ...tail] = ['one', 'two', undefined, 4, 5]
            console.log(a, c, others, rest, first, third, tail)
        """, out="1 5 { d: 2, e: 3 } { x: 9 } one none [ 4, 5 ]"),
        Call("({ a: first } = { a: 'swapped' }).a + first", error="TypeError: Assignment to constant variable."),
        Call("[a, c, third]", value="[ 1, 5, 'none' ]"),
    ]),
    Case("labelled loops, switch and conditional chains", [
        Call("""
            let found = null
            outer: for (let i = 2; i < 50; i++) {
              for (let j = 2; j < i; j++) if (i % j === 0) continue outer
              if (i > 40) { found = i; break outer }
            }
            switch (true) { case found > 40: console.log('large', found); break; default: console.log('small') }
            console.log(found?.toFixed?.(1) ?? 'none', null?.x ?? 'nothing', 0 || 'or', '' ?? 'kept')
        """, out="large 41\n41.0 nothing or"),
    ]),
    Case("private fields, statics, accessors and inheritance", [
        Call("""
            class Shape { static made = 0; #name; constructor(name) { this.#name = name; Shape.made++ }
              get name() { return this.#name.toUpperCase() } area() { return 0 } }
            class Circle extends Shape { constructor(r) { super('circle'); this.r = r }
              area() { return +(Math.PI * this.r ** 2).toFixed(2) + super.area() } static { this.ready = true } }
        """),
        Call("const c1 = new Circle(2); console.log(c1.name, c1.area(), Shape.made, Circle.ready, c1 instanceof Shape)",
             out="CIRCLE 12.57 1 true true"),
    ], joined=True),
    Case("top-level await, alone and within expressions", [
        Call("const later = async x => { await null; return x * 2 }"),
        Call("const got = await later(4)\nconst all = await Promise.all([1, 2, 3].map(later))\nconsole.log(got, all, (await later(1)) + 1)",
             out="8 [ 2, 4, 6 ] 3"),
        Call("if (await later(true)) { for (const n of [1]) await later(n) }\ngot", value="8"),
    ], joined=False),
    Case("an object literal is a value, and so is a block of statements", [
        Call("({ a: 1 })", value="{ a: 1 }"),
        Call("{ let inner = 2; inner * 21 }", value="42"),
        Call("typeof inner", value="'undefined'"),
    ]),
    Case("what is not declared is a global, unless the code is strict", [
        Call("leaked = 5; (function () { alsoLeaked = 6 })()"),
        Call("leaked + alsoLeaked", value="11"),
        Call("'use strict'\nneverDeclared = 1", error="ReferenceError: neverDeclared is not defined", at="2:15"),
    ]),
    Case("each language has variables of its own, and one directory", [
        Call("x = 'python'; import os; os.makedirs('sub', exist_ok=True); os.chdir('sub')", language="python"),
        Call("var x = 'script'; process.cwd()", value="'/mnt/workspace/sub'"),
        Call("print(x)", language="python", out="python"),
        Call("process.chdir('..')"),
        Call("pwd", language="shell", out="/mnt/workspace"),
        Call("print(os.getcwd())", language="python", out="/mnt/workspace"),
    ]),
    Case("a fresh interpreter of one language leaves the other's variables", [
        Call("kept = 1", language="python"),
        Call("let gone = 1"),
        Call("typeof gone", clear=True, value="'undefined'"),
        Call("let kept = 2"),
        Call("print(kept)", language="python", out="1"),
        Call("print('kept' in dir())", language="python", clear=True, out="False"),
        Call("kept", value="2"),
    ]),
]
