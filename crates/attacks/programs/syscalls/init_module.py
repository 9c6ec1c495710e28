"""Loads code into the kernel, asked without any.

decoy: word
stopped by: seccomp
as root: capabilities, user
needs: root
"""
reaches(errno.ENOEXEC, lambda: call(175, b"", 0, b""))
