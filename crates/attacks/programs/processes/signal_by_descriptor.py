"""Kills a process on the host by a descriptor for it.

decoy: process
stopped by: pid
as root: user
"""
signal.pidfd_send_signal(os.pidfd_open(FACTS["pid"]), signal.SIGKILL)
