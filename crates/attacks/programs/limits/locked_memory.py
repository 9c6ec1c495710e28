"""Locks more memory than a cell may.

decoy: word
stopped by: rlimits
run as: nobody
"""
if resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] in range(32 << 20) and FACTS["control"]:
    skip("this user may lock no more at any rate")
libc.mmap.restype = ctypes.c_void_p
taken = mmap.mmap(-1, 32 << 20)
address = ctypes.addressof(ctypes.c_char.from_buffer(taken))
check(libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(32 << 20)))
won()
