"""Makes a process in a user namespace of its own with clone3, whose flags no filter can see.

decoy: word
stopped by: seccomp
"""
before = os.readlink("/proc/self/ns/user")
child = call(435, ctypes.create_string_buffer(struct.pack("QQQQQ", 0x10000000, 0, 0, 0, signal.SIGCHLD), 88), 88)
if child == 0:
    if os.readlink("/proc/self/ns/user") != before:
        won()
    os._exit(0)
os.waitpid(child, 0)
