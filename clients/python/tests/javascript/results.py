"""What is shown beside text: pictures, HTML, JSON, tables."""

import re

from .case import Call, Case

# A PNG of one red pixel.
RED = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="

CASES = [
    Case("bytes of a picture are a picture", [
        Call(f"const png = Buffer.from('{RED}', 'base64')\ndisplay.image(png)", pictures=("image/png",)),
        Call("display({ 'image/png': png.toString('base64'), 'text/plain': 'a red dot' })", pictures=("image/png",)),
    ]),
    Case("an object shows itself by the convention of notebooks", [
        Call(f"class Chart {{ [Symbol.for('Jupyter.display')]() {{ return {{ 'text/plain': 'a chart', 'image/png': '{RED}' }} }} }}\nnew Chart()",
             pictures=("image/png",)),
        Call("({ [Symbol.for('Jupyter.display')]: () => ({ 'text/plain': 'in words', 'text/html': '<b>in words</b>' }) })", value="in words"),
        Call("({ [Symbol.for('Jupyter.display')]: async () => ({ 'text/plain': 'after a while' }) })", value="after a while"),
        Call("({ a: 1, [Symbol.for('Jupyter.display')]() { throw new Error('cannot') } })", value=re.compile("a: 1"), says="Error: cannot"),
    ]),
    Case("HTML, markdown, SVG and JSON are displayed", [
        Call("display.html('<b>bold</b>'); console.log('after')", out=re.compile(r"(?=[\s\S]*bold)(?=[\s\S]*after)")),
        Call("display.markdown('# Title')", out=re.compile("# Title")),
        Call("display.json({ a: [1, 2] })", out=re.compile(r"a\"?: \[\s*1,\s*2\s*\]")),
        Call("display.svg('<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>')", out=re.compile("an SVG picture, 62 characters")),
        Call("display('plain'); display([1, 2])", out=re.compile(r"plain'?\n\[ 1, 2 \]$")),
    ]),
    Case("a table is displayed with its columns", [
        Call("display.table([{ city: 'Rome', pop: 2.8 }, { city: 'Oslo', pop: 0.7 }])", out=re.compile(r"city +pop[\s\S]*Rome +2\.8[\s\S]*Oslo +0\.7")),
    ]),
    Case("much output is cut in the middle of nothing that matters", [
        Call("for (let i = 0; i < 2000; i++) console.log(`row ${i}`)", out=re.compile(r"^row 0\nrow 1\n[\s\S]*row 1999$")),
    ]),
]
