"""Compares kernel objects of processes, which tells of addresses in the kernel.

decoy: word
stopped by: seccomp
"""
try:
    order = call(312, os.getpid(), os.getpid(), 0, 0, 1)
except OSError as error:
    if error.errno == errno.ENOSYS and FACTS["control"]:
        skip("this kernel has no kcmp")
    raise
if order in (0, 1, 2):
    won()
