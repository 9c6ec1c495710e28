"""Has the host swap to a file, asked with one that is not there.

decoy: word
stopped by: seccomp
as root: capabilities, user
needs: root
"""
reaches(errno.ENOENT, lambda: call(167, b"/no/such/file", 0))
