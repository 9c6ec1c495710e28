"""Sets up a ring of calls that no filter sees.

decoy: word
stopped by: seccomp
"""
try:
    ring = call(425, 4, ctypes.create_string_buffer(120))
except OSError as error:
    if FACTS["control"] and error.errno in (errno.ENOSYS, errno.EPERM):
        skip("this host has io_uring switched off")
    raise
if "io_uring" in os.readlink(f"/proc/self/fd/{ring}"):
    won()
