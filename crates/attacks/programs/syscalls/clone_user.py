"""Makes a process in a user namespace of its own with clone.

decoy: word
stopped by: seccomp
"""
before = os.readlink("/proc/self/ns/user")
child = call(56, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
if child == 0:
    if os.readlink("/proc/self/ns/user") != before:
        won()
    os._exit(0)
os.waitpid(child, 0)
