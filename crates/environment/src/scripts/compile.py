"""Compiles modules so that their bytecode is valid wherever the tree is, and names the path that cells see.

Arguments: the tree, the path that it will have, a file with paths below the tree, one a line. For each a line is printed when it
is done. A module that does not compile (a template, a file for another Python) is passed over.
"""

import py_compile
import sys

root, seen, listed = sys.argv[1:]
with open(listed) as lines:
    paths = lines.read().splitlines()
for path in paths:
    try:
        py_compile.compile(
            f"{root}/{path}",
            dfile=f"{seen}/{path}",
            doraise=True,
            quiet=2,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except (py_compile.PyCompileError, SyntaxError, ValueError):
        pass
    sys.stdout.write("\n")
    sys.stdout.flush()
