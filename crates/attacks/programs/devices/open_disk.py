"""Reads the host's disk through its device.

decoy: disk
stopped by: root, landlock
as root: user
needs: root
"""
show(read(FACTS["path"]))
