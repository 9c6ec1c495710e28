"""The libraries that are at hand without a network, each used for something real."""

import re

from .case import NODE, Call, Case

CASES = [
    Case("lodash groups, sorts and sums", [
        Call("""
            const _ = require('lodash')
            const sales = [{ city: 'Rome', sum: 5 }, { city: 'Oslo', sum: 7 }, { city: 'Rome', sum: 8 }]
            console.log(_.mapValues(_.groupBy(sales, 'city'), rows => _.sumBy(rows, 'sum')))
            console.log(_.chain(sales).orderBy(['sum'], ['desc']).map('city').uniq().value(), _.chunk([1, 2, 3], 2), _.get({ a: [{ b: 1 }] }, 'a[0].b'))
        """, out="{ Rome: 13, Oslo: 7 }\n[ 'Rome', 'Oslo' ] [ [ 1, 2 ], [ 3 ] ] 1"),
        Call("import lodash, { camelCase, debounce as calmed } from 'lodash'\nconsole.log(lodash.kebabCase('A b'), camelCase('order_line id'), typeof calmed)",
             out="a-b orderLineId function"),
    ]),
    Case("uuid makes and checks identifiers", [
        Call("import { v4 as uuidv4, v5, validate, version } from 'uuid'\nconst id = uuidv4()\n"
             "console.log(validate(id), version(id), v5('example.com', v5.DNS), uuidv4() !== id)", out="true 4 cfbff0d1-9375-5685-968c-48ce8b15ae17 true"),
    ]),
    Case("zod parses, and its errors tell what is wrong", [
        Call("""
            import { z } from 'zod'
            const User = z.object({ name: z.string().min(1), age: z.number().int().positive(), email: z.string().email().optional() })
            console.log(User.parse({ name: 'Ada', age: 36 }), User.safeParse({ name: '', age: 1 }).success)
        """, out="{ name: 'Ada', age: 36 } false"),
        Call("User.parse({ name: 'Bob', age: '41' })", error="ZodError", says=("invalid_type", "expected", "number"), at="1:6"),
        Call("const told = User.safeParse({ name: 'Bob', age: -1 }); told.error.issues.map(issue => `${issue.path.join('.')}: ${issue.code}`)",
             value="[ 'age: too_small' ]"),
    ]),
    Case("cheerio reads HTML", [
        Call("""
            const cheerio = require('cheerio')
            const $ = cheerio.load('<ul id="fruits"><li class="apple">Apple</li><li class="pear">Pear &amp; co</li></ul><a href="/x">go</a>')
            console.log($('li').map((_, li) => $(li).text()).get(), $('a').attr('href'), $('#fruits .pear').prev().text())
            $('li').first().addClass('sold').text('Fig'); console.log($('#fruits').html())
        """, out="[ 'Apple', 'Pear & co' ] /x Apple\n<li class=\"apple sold\">Fig</li><li class=\"pear\">Pear &amp; co</li>"),
        Call("import * as ch from 'cheerio'; ch.load('<p>hi</p>')('p').text()", value="'hi'"),
    ]),
    Case("papaparse reads and writes CSV", [
        Call("""
            const Papa = require('papaparse')
            const { data, meta, errors } = Papa.parse('name,age\\n"Doe, John",42\\nAda,36\\n', { header: true, dynamicTyping: true, skipEmptyLines: true })
            console.log(data, meta.fields, errors.length)
            console.log(Papa.unparse([{ a: 1, b: 'x,y' }, { a: 2, b: 'q"q' }], { newline: '\\n' }))
        """, out="""
            [ { name: 'Doe, John', age: 42 }, { name: 'Ada', age: 36 } ] [ 'name', 'age' ] 0
            a,b
            1,"x,y"
            2,"q""q"
        """),
    ]),
    Case("d3-array summarises", [
        Call("""
            const d3 = await import('d3-array')
            const readings = [{ day: 'mon', v: 3 }, { day: 'tue', v: 8 }, { day: 'mon', v: 5 }]
            console.log(d3.extent(readings, d => d.v), d3.mean(readings, d => d.v).toFixed(3), d3.rollup(readings, v => d3.sum(v, d => d.v), d => d.day))
            console.log(d3.quantile([1, 2, 3, 4], 0.5), d3.bin().thresholds(2)([1, 2, 3, 9]).map(b => b.length), d3.ascending(1, 2))
        """, out=re.compile(r"^\[ 3, 8 \] 5.333 InternMap\(2\)(?: \[Map\])? \{ 'mon' => 8, 'tue' => 8 \}\n2.5 \[ [\d, ]+ \] -1$")),
        Call("const { max } = require('d3-array'); max([3, 9, 4])", value="9"),
    ]),
    Case("simple-statistics fits and describes", [
        Call("import * as ss from 'simple-statistics'\nconst line = ss.linearRegression([[0, 1], [1, 3], [2, 5]])\n"
             "console.log(line, ss.linearRegressionLine(line)(10), ss.median([3, 1, 2]), ss.standardDeviation([2, 4, 4, 4, 5, 5, 7, 9]), ss.sampleCorrelation([1, 2, 3], [2, 4, 6]).toFixed(2))",
             out="{ m: 2, b: 1 } 21 2 2 1.00"),
    ]),
    Case("mathjs evaluates, with matrices and units", [
        Call("""
            const math = require('mathjs')
            console.log(math.evaluate('sqrt(3^2 + 4^2)'), math.evaluate('12.7 cm to inch').toString(), math.derivative('x^2 + x', 'x').toString())
            console.log(math.multiply([[1, 2], [3, 4]], [[0, 1], [1, 0]]), math.det([[1, 2], [3, 4]]), math.format(math.bignumber('0.1').plus('0.2')), `${math.complex(1, 2)}`)
        """, out="5 5 inch 2 * x + 1\n[ [ 2, 1 ], [ 4, 3 ] ] -2 0.3 1 + 2i"),
    ]),
    Case("date-fns counts and formats", [
        Call("""
            import { format, addDays, differenceInCalendarDays, parseISO, isWeekend, formatDistance } from 'date-fns'
            const start = parseISO('2024-02-28')
            console.log(format(addDays(start, 2), 'yyyy-MM-dd EEEE'), differenceInCalendarDays(new Date(2024, 11, 25), start), isWeekend(start))
            console.log(formatDistance(new Date(2024, 0, 1), new Date(2024, 0, 4), { addSuffix: true }))
        """, out="2024-03-01 Friday 301 false\n3 days ago"),
        Call("const { eachDayOfInterval } = require('date-fns'); eachDayOfInterval({ start, end: addDays(start, 3) }).length", value="4"),
    ]),
    Case("axios speaks to a server in the cell", [
        Call("""
            const axios = require('axios')
            const http = require('http')
            const api = http.createServer((request, response) => {
              let body = ''
              request.on('data', chunk => body += chunk).on('end', () => {
                response.writeHead(request.url === '/missing' ? 404 : 200, { 'content-type': 'application/json' })
                response.end(JSON.stringify({ method: request.method, got: body ? JSON.parse(body) : null }))
              })
            })
            await new Promise(done => api.listen(0, '127.0.0.1', done))
            const client = axios.create({ baseURL: `http://127.0.0.1:${api.address().port}`, timeout: 5000 })
            const { data, status } = await client.post('/orders', { id: 7 })
            console.log(status, data)
        """, out="200 { method: 'POST', got: { id: 7 } }"),
        Call("await client.get('/missing')", error="AxiosError: Request failed with status code 404"),
        Call("await new Promise(done => { api.close(done); api.closeAllConnections() }); (await import('axios')).default === axios || 'two builds'",
             value=re.compile("true|'two builds'")),
    ], program=False),
    Case("a package that is not there is named", [
        Call("const x = require('left-pad-of-nobody')", error="Error: Cannot find module 'left-pad-of-nobody'"),
        Call("import y from 'left-pad-of-nobody'", outcome="raised", says="left-pad-of-nobody"),
    ], runtimes=(NODE,)),
    Case("packages are imported in every way in one session", [
        Call("import lodash from 'lodash'\nimport { min as least } from 'd3-array'\nimport * as whole from 'lodash'\nimport fs, { readFileSync as read } from 'node:fs'\nconst { sum } = require('lodash')\n"
             "console.log(lodash.sum([1, 2]), least([3]), whole.default.sum([4]), (await import('lodash')).default === lodash, sum([5]), fs.readFileSync === read)",
             out="3 3 4 true 5 true"),
        Call("import lodash from 'lodash'; import { sum } from 'd3-array'\nconsole.log(lodash.max([1, 9]), sum([1, 1]))", out="9 2"),
    ]),
]
