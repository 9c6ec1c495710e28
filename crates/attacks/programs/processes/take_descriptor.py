"""Takes a descriptor out of a process on the host with pidfd_getfd.

decoy: process
stopped by: pid, user, seccomp, landlock
as root: capabilities
"""
process = os.pidfd_open(FACTS["pid"])
taken = call(438, process, FACTS["descriptor"], 0)
show(os.pread(taken, 100, 0))
