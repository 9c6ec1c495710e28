"""All cases."""

from . import declared, ends, failures, files, habits, later, packages, platform, results, typed, typed_calls, values

GROUPS = (declared, values, failures, later, platform, files, packages, results, habits, typed, typed_calls, ends)


def gathered():
    names = set()
    for module in GROUPS:
        for case in module.CASES:
            case.group = module.__name__.rpartition(".")[2]
            assert case.name not in names, f"two cases are called {case.name!r}"
            names.add(case.name)
            yield case


CASES = list(gathered())
