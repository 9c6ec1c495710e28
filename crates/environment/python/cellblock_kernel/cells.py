"""From source text to code objects: what belongs to the language, and nothing of the session.

A cell is compiled as a whole before anything of it runs, as a Python program is, so `return` outside a function in
the last line does not leave the first half done. All of it but the expression whose value is shown is one code object.
"""

from __future__ import annotations

import re
from _ast import AnnAssign, Assign, AugAssign, Expr, Expression, Load, Module, Name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    Piece = tuple[CodeType, bool]

ONLY_AST = 0x400
TOP_LEVEL_AWAIT = 0x2000
COROUTINE = 0x80
#: The bits by which a code object says which `from __future__` imports it had.
FUTURES = 0x1FE0000

# What may make IPython's syntax out of what is not Python's: `%magic`, `!command`, `help?`, `/f x`, `,f a b`, `;f a b`,
# a prompt that was copied along, a cell that is indented as a whole.
_ESCAPES = r"(?m)^[ \t]*(?:[%!?/,;]|>>>|\.\.\.|In \[)|\?[ \t]*$|=[ \t]*[%!]|\A(?:\s*\n)?[ \t]+\S"
_FIRST_NAME = r"[^\W\d]\w*"


def parse(source: str, name: str, flags: int) -> Any:
    """The syntax tree. Raises what `compile` raises."""
    return compile(source, name, "exec", flags | ONLY_AST, dont_inherit=True)


def may_be_escaped(source: str) -> bool:
    """Whether text that is not Python may be IPython's."""
    return "\n" not in source.strip() or re.search(_ESCAPES, source) is not None


def may_be_command(tree: Any, source: str, names: Any) -> bool:
    """Whether text that is Python is more likely a command: `ls -l`, `pwd`, where no such name is defined."""
    if source.startswith("In ["):
        return True
    if len(tree.body) != 1 or not isinstance(tree.body[0], Expr):
        return False
    text = source.strip()
    if "\n" in text:
        return False
    first = re.match(_FIRST_NAME, text)
    return first is not None and not names(first.group())


def pieces(tree: Any, source: str, name: str, flags: int, interactivity: str) -> tuple[list[Piece], int]:
    """What to run in turn, each with whether its value is shown, and the flags for cells after this one.

    They hold the `from __future__` imports that the cell adds.
    """
    body = list(tree.body)
    if interactivity == "last_expr_or_assign" and body:
        target = _assigned(body[-1])
        if target is not None:
            body.append(target)
    if interactivity == "all":
        groups = [([node], isinstance(node, Expr)) for node in body]
    else:
        last_shown = interactivity != "none" and body and isinstance(body[-1], Expr)
        split = len(body) - 1 if last_shown else len(body)
        groups = [(group, shown) for group, shown in ((body[:split], False), (body[split:], True)) if group]
    result = []
    for group, shown in groups:
        if shown:
            code = compile(Expression(group[0].value), name, "eval", flags, dont_inherit=True)
            shown = not _silenced(group[0], source)
        else:
            code = compile(Module(group, tree.type_ignores), name, "exec", flags, dont_inherit=True)
        flags |= code.co_flags & FUTURES
        result.append((code, shown))
    return result, flags


def _silenced(node: Any, source: str) -> bool:
    """Whether a `;` follows the expression."""
    if ";" not in source or getattr(node, "end_lineno", None) is None:
        return False
    line = source.split("\n")[node.end_lineno - 1]
    rest = line.encode("utf-8", "surrogatepass")[node.end_col_offset :]
    return rest.lstrip().startswith(b";")


def _assigned(node: Any) -> Any:
    """An expression that reads what the statement assigned, where that is one name."""
    if isinstance(node, Assign) and len(node.targets) == 1:
        target = node.targets[0]
    elif isinstance(node, (AugAssign, AnnAssign)):
        target = node.target
    else:
        return None
    if not isinstance(target, Name):
        return None
    import ast

    # Past the end of the source, so that a `;` after the assignment silences it.
    copied = ast.copy_location(Name(target.id, Load()), node)
    return ast.copy_location(Expr(copied), node)
