"""Reads shared memory of a process on the host by its name.

decoy: shared_file
stopped by: root
as root: user
"""
show(read(FACTS["path"]))
