"""Restarts the host, asked with a number that the kernel does not take.

decoy: word
stopped by: seccomp
as root: capabilities, user
needs: root
"""
reaches(errno.EINVAL, lambda: call(169, 0, 0, 0, 0))
