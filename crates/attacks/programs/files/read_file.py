"""Reads a file of the host's.

decoy: file
stopped by: root, landlock
as root: user
"""
show(read(FACTS["path"]))
