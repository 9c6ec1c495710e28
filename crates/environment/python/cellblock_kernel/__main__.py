"""A cold kernel: `python …/cellblock_kernel/__main__.py --fd N`, or `python -m cellblock_kernel --fd N`.

Started by its path, the package needs no PYTHONPATH and no `-I`, both of which every Python process that user code
starts would inherit. The folder leaves the search path again before user code runs.
"""

import os
import sys


def main() -> None:
    """Serves the descriptor that the command line names."""
    if len(sys.argv) != 3 or sys.argv[1] != "--fd" or not sys.argv[2].isdigit():
        sys.exit("usage: cellblock_kernel --fd N")
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    import cellblock_kernel

    cellblock_kernel.serve(int(sys.argv[2]))


if __name__ == "__main__":
    main()
