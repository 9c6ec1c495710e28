"""Traces a process on the host, and reads its memory.

decoy: process
stopped by: pid, user, seccomp, landlock
as root: capabilities
"""
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
pid = FACTS["pid"]
check(libc.ptrace(16, pid, None, None))
os.waitpid(pid, 0x40000000)
words = [libc.ptrace(2, pid, FACTS["secret"] + at, None) for at in range(0, FACTS["length"], 8)]
libc.ptrace(17, pid, None, None)
show(b"".join(struct.pack("l", word) for word in words))
