# The JavaScript runtime, as a program.
import subprocess

told = subprocess.run(["deno", "eval", "const x: number = 6; console.log(x * 7)"], capture_output=True, text=True)
assert told.stdout == "42\n", told
