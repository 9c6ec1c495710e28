import subprocess
import sys

told = subprocess.run([sys.executable, "-m", "pip", "list", "--format", "freeze"], capture_output=True, text=True)
assert len(told.stdout.splitlines()) >= 250, told
