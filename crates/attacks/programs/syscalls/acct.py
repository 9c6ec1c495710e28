"""Has the kernel keep account of all processes, in a file that is not there.

decoy: word
stopped by: seccomp
as root: capabilities, user
needs: root
"""
reaches(errno.ENOENT, lambda: call(163, b"/no/such/file"))
