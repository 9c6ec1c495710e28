"""Kills a process on the host.

decoy: process
stopped by: pid
as root: user
"""
os.kill(FACTS["pid"], signal.SIGKILL)
