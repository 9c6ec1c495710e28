"""Replaces the kernel, asked with flags that it does not take.

decoy: word
stopped by: seccomp
as root: capabilities, user
needs: root
"""
reaches(errno.EINVAL, lambda: call(246, 0, 0, 0, 0xffff))
