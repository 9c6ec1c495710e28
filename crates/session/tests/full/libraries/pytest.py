import subprocess
import sys

with open("test_sums.py", "w") as file:
    file.write("def test_right():\n    assert 1 + 1 == 2\n\ndef test_wrong():\n    assert 1 + 1 == 3\n")
told = subprocess.run([sys.executable, "-m", "pytest", "-q", "test_sums.py"], capture_output=True, text=True)
assert "1 failed, 1 passed" in told.stdout, told
