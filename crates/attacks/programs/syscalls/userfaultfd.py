"""Holds the kernel still in the middle of a copy: it answers for pages that are not there.

decoy: word
stopped by: seccomp
"""
try:
    faults = call(323, os.O_CLOEXEC | os.O_NONBLOCK | 1)
except OSError as error:
    if error.errno == errno.ENOSYS and FACTS["control"]:
        skip("this kernel has no userfaultfd")
    raise
if "userfaultfd" in os.readlink(f"/proc/self/fd/{faults}"):
    won()
