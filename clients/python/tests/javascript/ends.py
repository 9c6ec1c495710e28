"""How calls end that do not come to their own end, and what is left then."""

import re

from .case import DENO, MEMORY, TIME, Call, Case

GONE = re.compile("(?i)variables of earlier calls are gone, files are kept")
BIG = "const held = []; for (;;) held.push(new Array(100_000).fill(Math.random()))"

CASES = [
    Case("process.exit ends the interpreter with its status, and says what is lost", [
        Call("let kept = 1; require('fs').writeFileSync('left.txt', 'here')"),
        Call("console.log('last words'); process.exit(3); console.log('never')", out="last words", exits=3, says="variables"),
        Call("typeof kept + require('fs').readFileSync('left.txt')", value="'undefinedhere'", says=GONE),
        Call("require('fs').unlinkSync('left.txt')"),
    ]),
    Case("exit handlers run, and may say something", [
        Call("process.on('exit', code => console.log('bye', code)); console.log('working'); process.exit(0)",
             out="working\nbye 0", exits=0, says=re.compile("")),
        Call("1", value="1", says=GONE),
    ]),
    Case("process.exitCode alone ends nothing", [
        Call("process.exitCode = 4; 'goes on'", value="'goes on'"),
        Call("process.exitCode = 0; 'still'", value="'still'"),
    ], program=False),
    Case("Deno.exit ends the interpreter, too", [
        Call("console.log('before'); Deno.exit(5)", out="before", exits=5, says="variables"),
        Call("1", value="1", says=GONE),
    ], runtimes=(DENO,)),
    Case("process.exit in a timer of an earlier call is told to the next", [
        Call("var go = false; setInterval(() => go && process.exit(9), 5); 0", value="0"),
        Call("go = true; await new Promise(done => setTimeout(done, 3000)); 'never'", exits=9, says="variables"),
        Call("1", value="1", says=GONE),
    ], program=False),
    Case("process.abort and signals are crashes that are named", [
        Call("process.kill(process.pid, 'SIGKILL'); for (;;);", outcome="crashed", exits=137, says=re.compile("SIGKILL|signal 9|memory")),
        Call("1", value="1", says=GONE),
    ], program=False),
    Case("an endless loop takes its time and keeps the variables", [
        Call("let kept = { n: 0 }"),
        Call("console.log('begun'); for (;;) kept.n++", out="begun", outcome="timed_out", says="limit of 2 s"),
        Call("kept.n > 1000", value="true"),
        Call("await null; while (true) { kept.n = -1 }", outcome="timed_out", says=""),
        Call("kept.n", value="-1"),
    ], limits=TIME),
    Case("so does what waits for ever", [
        Call("let kept = 'kept'"),
        Call("await new Promise(() => setInterval(() => {}, 1000))", outcome="timed_out", says=""),
        Call("kept", value="'kept'"),
    ], limits=TIME),
    Case("a program that never ends is ended", [
        Call("console.log('begun'); let n = 0; while (true) n++", out="begun", outcome="timed_out", says="limit of 2 s"),
        Call("n > 1000", value="true"),
    ], limits=TIME),
    Case("out of memory: the variables are lost, and that is said", [
        Call("let kept = 1; require('fs').writeFileSync('left.txt', 'here')"),
        Call(BIG, outcome="out_of_memory", says="memory limit"),
        Call("typeof kept + require('fs').readFileSync('left.txt')", value="'undefinedhere'", says=GONE),
    ], limits=MEMORY),
    Case("memory outside of the heap has the same end", [
        Call("const buffers = []; for (;;) buffers.push(new Uint8Array(1 << 22).fill(7))", outcome="out_of_memory", says="memory limit"),
        Call("1", value="1", says=GONE),
    ], limits=MEMORY),
]
