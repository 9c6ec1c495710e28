"""Writes into a file of the host's.

decoy: mark
stopped by: root, landlock
as root: user
"""
with open(FACTS["path"], "w") as file:
    file.write("written")
