"""What an editor asks before code runs."""

from harness import KernelCase


class Questions(KernelCase):
    def matches(self, code: str, cursor: int | None = None) -> dict[str, str]:
        answer = self.kernel.ask(code, cursor).report["answer"]
        self.assertEqual(answer["end"], len(code) if cursor is None else cursor)
        return {code[: answer["start"]] + text: kind for text, kind in answer["matches"]}

    def check(self, code: str) -> tuple[str, int]:
        answer = self.kernel.ask(code, check=True).report["answer"]
        return answer["check"], answer["indent"]

    def test_names(self) -> None:
        self.run_ok("const alphabet = 1; class Alphorn {}; function alphonse() {}; var alpha = { a: 1 }")
        self.assertEqual(self.matches("x = alph"), {"x = alpha": "instance", "x = alphabet": "instance", "x = alphonse": "function"})
        self.assertEqual(self.matches("Alp"), {"Alphorn": "class"})
        self.assertEqual(self.matches("awai"), {"await": "keyword"})
        self.assertEqual(self.matches("chil"), {"child_process": "module"})
        self.assertEqual(self.matches("alphab + 1", 6), {"alphabet": "instance"})

    def test_members_without_running_anything(self) -> None:
        self.run_ok("const o = { aa: { bb: 1, bc() {} }, get ab() { console.log('ran') }, ['no name']: 1 }; const p = new Proxy(o, { ownKeys() { console.log('ran') } })")
        self.assertEqual(self.matches("o.a"), {"o.aa": "instance", "o.ab": "property"})
        self.assertEqual(self.matches("o?.aa.b"), {"o?.aa.bb": "instance", "o?.aa.bc": "function"})
        self.assertEqual(self.matches("o.ab.x"), {})
        self.assertEqual(self.matches("p."), {})
        self.assertEqual(self.matches("f()."), {})
        self.assertEqual(self.matches("path.joi"), {"path.join": "function"})
        self.assertIn("process.stdout", self.matches("process.stdo"))
        self.assertEqual(self.matches("'😀'; o.a")["'😀'; o.aa"], "instance")
        self.assertEqual(self.run_ok("1").stdout, "")

    def test_modules(self) -> None:
        (self.kernel.work / "node_modules/@own/pkg").mkdir(parents=True)
        (self.kernel.work / "local.mjs").write_text("console.log('ran')")
        self.run_ok("0")
        self.assertIn("import x from 'child_process", self.matches("import x from 'child_p"))
        self.assertIn('require("node:fs', self.matches('require("node:f'))
        self.assertIn("await import('@own/pkg", self.matches("await import('@own/p"))
        self.assertIn("import './local.mjs", self.matches("import './loc"))

    def test_an_answer_is_bounded(self) -> None:
        self.run_ok("for (let i = 0; i < 300; i++) globalThis['many_' + String(i).padStart(3, '0')] = i; 0")
        answer = self.kernel.ask("many_").report["answer"]
        self.assertEqual((len(answer["matches"]), answer["more"]), (100, True))
        self.assertEqual(answer["matches"][0], ["many_000", "instance"])

    def test_whether_code_is_whole(self) -> None:
        for code in ("1", "", "function f() {\n}", "import a from 'b'", "await f()", "export const x = 1", "// c", "{ a: 1, b: 2 }"):
            self.assertEqual(self.check(code), ("complete", 0), code)
        for code, indent in (("function f() {", 2), ("foo(", 2), ("[1, {", 4), ("`abc", 0), ("/* c", 0), ("const x =", 0), ("if (a) {\n  b", 2), ("a +", 0), ("{ a: 1, b: 2", 2), ("{\n  a: 1,\n  b: [", 4)):
            self.assertEqual(self.check(code), ("incomplete", indent), code)
        for code in ("a b", "const 5", "'abc", ")", "let x; let x", "{ a: 1, b c }"):
            self.assertEqual(self.check(code), ("invalid", 0), code)

    def test_a_question_changes_nothing(self) -> None:
        self.run_ok("1")
        self.kernel.ask("x = 5", check=True)
        self.kernel.ask("glob")
        self.assertEqual(self.run_ok("typeof x").report["execution_count"], 2)
        self.assertEqual(self.kernel.ask(5).report, {"status": "ok"})  # type: ignore[arg-type]
