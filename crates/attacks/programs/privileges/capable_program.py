"""Runs a program with a capability in its file that lies in its workspace.

decoy: capable_program
stopped by: no-new-privs, root, user
run as: nobody
needs: root
"""
import subprocess
for program, path in FACTS["programs"]:
    if os.path.exists(program):
        show(subprocess.run([program, "reveal", path], capture_output=True))
        break
