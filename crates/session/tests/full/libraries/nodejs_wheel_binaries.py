# Node, as a program.
import subprocess

told = subprocess.run(["node", "-p", "[1, 2, 3].map(x => x * 2).join()"], capture_output=True, text=True)
assert told.stdout == "2,4,6\n", told
