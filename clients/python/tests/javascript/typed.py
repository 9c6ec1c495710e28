"""TypeScript within a call: it is checked, then it runs."""

import re

from .case import Call, Case


def typed(name, *calls, **more):
    return Case(name, list(calls), language="typescript", **more)


CASES = [
    typed("generics with constraints and defaults",
        Call("""
            function pluck<T, K extends keyof T>(rows: T[], key: K): T[K][] { return rows.map(row => row[key]) }
            class Stack<T = string> { #items: T[] = []; push(item: T): this { this.#items.push(item); return this } pop(): T | undefined { return this.#items.pop() } }
            console.log(pluck([{ id: 1, name: 'a' }, { id: 2, name: 'b' }], 'name'), new Stack<number>().push(1).push(2).pop())
        """, out="[ 'a', 'b' ] 2"),
        Call("pluck([{ id: 1 }], 'nam')", at="1:20", typed="TS2345", says="'\"nam\"' is not assignable"),
        Call("const n: number | undefined = new Stack().pop()", at="1:7", typed="TS2322"),
    ),
    typed("enums, const enums and their reverse names",
        Call("enum Color { Red, Green = 5, Blue }\nenum Level { Low = 'LOW', High = 'HIGH' }\nconst enum Flag { A = 1 << 0, B = 1 << 1 }\n"
             "console.log(Color.Blue, Color[5], Level.High, Flag.A | Flag.B)", out="6 Green HIGH 3"),
        Call("const paint = (c: Color) => Color[c]\npaint(Color.Red)", value="'Red'"),
        Call("paint(Level.Low)", at="1:7", typed="TS2345"),
    ),
    typed("interfaces, unions that are told apart, exhaustive switches",
        Call("""
            interface Circle { kind: 'circle'; r: number }
            interface Square { kind: 'square'; side: number }
            type Shape = Circle | Square
            function area(shape: Shape): number {
              switch (shape.kind) {
                case 'circle': return +(Math.PI * shape.r ** 2).toFixed(1)
                case 'square': return shape.side ** 2
                default: { const never: never = shape; return never }
              }
            }
            console.log(area({ kind: 'circle', r: 1 }), area({ kind: 'square', side: 3 }))
        """, out="3.1 9"),
        Call("const shape: Shape = { kind: 'square', r: 2 }", at="1:40", typed="TS2353", says="'r' does not exist"),
        Call("function wrong(shape: Shape) { return shape.side }", at="1:45", typed="TS2339"),
    ),
    typed("namespaces and declared modules of a call",
        Call("namespace Geometry { export const unit = 'cm'; export namespace Flat { export const area = (a: number, b: number) => `${a * b}${unit}2` } }\n"
             "console.log(Geometry.Flat.area(2, 3))", out="6cm2"),
        Call("Geometry.unit", value="'cm'"),
        Call("Geometry.hidden", at="1:10", typed="TS2339"),
    ),
    typed("decorators of classes and methods",
        Call("""
            const calls: string[] = []
            function logged<T extends (...args: any[]) => any>(method: T, context: ClassMethodDecoratorContext) {
              return function (this: any, ...args: any[]) { calls.push(`${String(context.name)}(${args})`); return method.apply(this, args) } as T
            }
            function sealed(target: Function, _: ClassDecoratorContext) { Object.seal(target) }
            @sealed class Till { total = 0; @logged add(n: number) { return this.total += n } }
            const till = new Till(); till.add(5)
            console.log(till.add(2), calls, Object.isSealed(Till))
        """, out="7 [ 'add(5)', 'add(2)' ] true"),
    ),
    typed("imports of types are no imports at run time",
        Call("import type { Server } from 'node:http'\nimport { type Stats, statSync } from 'node:fs'\nconst isFile = (path: string): boolean => { const s: Stats = statSync(path); return s.isFile() }\n"
             "let server: Server | null = null\nconsole.log(isFile('/mnt/workspace'), server)", out="false null"),
        Call("import type { ZodType } from 'zod'\nimport { z } from 'zod'\nconst schema: ZodType = z.string()\nschema.safeParse(1).success", value="false"),
    ),
    typed("satisfies, as const and template literal types",
        Call("""
            const routes = { home: '/', user: '/user/:id' } as const satisfies Record<string, `/${string}`>
            type Route = keyof typeof routes
            type Event = `on${Capitalize<Route>}`
            const event: Event = 'onHome'
            const sizes = ['s', 'm', 'l'] as const
            type Size = (typeof sizes)[number]
            console.log(event, routes.user, sizes.length)
        """, out="onHome /user/:id 3"),
        Call("const size: Size = 'xl'", at="1:7", typed="TS2322", says="'\"xl\"' is not assignable"),
        Call("const bad = { home: 'no slash' } satisfies Record<string, `/${string}`>", at="1:15", typed="TS2322"),
    ),
    typed("overloads, abstract classes and parameter properties",
        Call("""
            function parse(text: string): number
            function parse(text: string[]): number[]
            function parse(text: string | string[]) { return Array.isArray(text) ? text.map(Number) : Number(text) }
            abstract class Animal { constructor(protected readonly name: string, public legs = 4) {} abstract sound(): string; speak() { return `${this.name}: ${this.sound()}` } }
            class Dog extends Animal { override sound() { return 'woof' } }
            console.log(parse('4') + parse(['1'])[0], new Dog('Rex').speak(), new Dog('Rex').legs)
        """, out="5 Rex: woof 4"),
        Call("new Animal('x')", at="1:1", typed="TS2511"),
        Call("new Dog('Rex').name", at="1:16", typed="TS2445"),
    ),
    typed("utility and mapped types",
        Call("""
            interface Todo { id: number; title: string; done: boolean }
            type Draft = Partial<Omit<Todo, 'id'>> & Pick<Todo, 'id'>
            type Getters<T> = { [K in keyof T & string as `get${Capitalize<K>}`]: () => T[K] }
            const getters: Getters<Pick<Todo, 'title'>> = { getTitle: () => 'write' }
            const update = (todo: Todo, draft: Draft): Readonly<Todo> => ({ ...todo, ...draft })
            const todo = update({ id: 1, title: 'a', done: false }, { id: 1, done: true })
            console.log(todo, getters.getTitle())
            type Loaded = Awaited<ReturnType<() => Promise<Todo[]>>>
            const loaded: Loaded = [todo]
        """, out="{ id: 1, title: 'a', done: true } write"),
        Call("todo.done = false", at="1:6", typed="TS2540", says="read-only"),
    ),
    typed("null, undefined and unknown must be looked at first",
        Call("function first(rows: string[] | null) { return rows.length }", at="1:48", typed="TS18047"),
        Call("try { JSON.parse('{') } catch (error: unknown) { console.log(error.message) }", at="1:62", typed="TS18046"),
        Call("try { JSON.parse('{') } catch (error) { console.log(error instanceof Error ? error.name : 'unknown') }", out="SyntaxError"),
        Call("const found = [1, 2].find(n => n > 1)\nconsole.log(found! + 1, found?.toFixed(1))", out="3 2.0"),
        Call("function loose(a, b) { return a + b }\nloose(1, 2)", value="3"),
    ),
    typed("guards and assertions narrow",
        Call("""
            const isText = (value: unknown): value is string => typeof value === 'string'
            function assertNumber(value: unknown): asserts value is number { if (typeof value !== 'number') throw new TypeError(`no number: ${value}`) }
            const mixed: (string | number)[] = ['a', 1]
            console.log(mixed.filter(isText).map(text => text.toUpperCase()), 'x' in { x: 1 })
            const anything: unknown = 'seven'
            assertNumber(anything)
            anything.toFixed()
        """, out="[ 'A' ] true", error="TypeError: no number: seven"),
    ),
    typed("async code is typed, too",
        Call("""
            interface Page<T> { items: T[]; next?: number }
            async function fetchPage(page: number): Promise<Page<string>> { return { items: [`item ${page}`], next: page < 3 ? page + 1 : undefined } }
            async function* pages() { let next: number | undefined = 1; while (next) { const page: Page<string> = await fetchPage(next); yield* page.items; next = page.next } }
            const all: string[] = []
            for await (const item of pages()) all.push(item)
            all
        """, value="[ 'item 1', 'item 2', 'item 3' ]"),
        Call("const pending: Page<string> = fetchPage(1)", at="1:7", typed="TS2741", says="Promise<Page<string>>"),
        Call("(await fetchPage(2)).items[0].toFixed()", at="1:31", typed="TS2551"),
    ),
    typed("errors at run time are placed in the TypeScript that was sent",
        Call("""
            interface Order { lines?: { price: number }[] }

            enum Unused { A, B }
            function total(order: Order): number {
              return order.lines!.reduce((sum, line) => sum + line.price, 0)
            }
            total({})
        """, error="TypeError: Cannot read properties of undefined (reading 'reduce')", at="5:23", says=re.compile(r"\.ts:7:1\b")),
        Call("let a: number = ;", at="1:17", typed="TS1109"),
    ),
    typed("async function main() in TypeScript",
        Call("""
            interface Result { ok: boolean; value?: number }
            async function compute(n: number): Promise<Result> { return n > 0 ? { ok: true, value: n * 2 } : { ok: false } }
            async function main(): Promise<void> {
              const results = await Promise.all([1, -1].map(compute))
              results.forEach((result: Result, index: number) => console.log(index, JSON.stringify(result)))
            }
            main().catch(console.error)
        """, out='0 {"ok":true,"value":2}\n1 {"ok":false}'),
    ),
    typed("tuples, records, readonly arrays and index signatures",
        Call("const pair: [name: string, age?: number] = ['Ada']\nconst scores: Record<string, number> = { a: 1 }\nconst frozen: readonly number[] = [1]\nconsole.log(pair.length, scores['zzz'], frozen.at(0))", out="1 undefined 1"),
        Call("frozen.push(2)", at="1:8", typed="TS2339"),
        Call("pair[2]", at="1:6", typed="TS2493"),
    ),
]
