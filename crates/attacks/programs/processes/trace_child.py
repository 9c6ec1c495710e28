"""Traces a child of its own, as exploits do that steer a system call.

decoy: word
stopped by: seccomp
"""
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
child = os.fork()
if child == 0:
    signal.pause()
try:
    check(libc.ptrace(16, child, None, None))
    _, status = os.waitpid(child, 0)
    if os.WIFSTOPPED(status):
        won()
finally:
    os.kill(child, signal.SIGKILL)
