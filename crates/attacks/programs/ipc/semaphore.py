"""Changes a System V semaphore of a process on the host.

decoy: semaphore
stopped by: ipc
as root: user
"""
semaphore = check(libc.semget(FACTS["key"], 0, 0))
check(libc.semop(semaphore, ctypes.create_string_buffer(struct.pack("Hhh", 0, 1, 0)), 1))
