"""Takes a message out of a System V queue on the host.

decoy: queue
stopped by: ipc
as root: user
"""
queue = check(libc.msgget(FACTS["key"], 0))
buffer = ctypes.create_string_buffer(1000)
check(libc.msgrcv(queue, buffer, 900, 0, 0o4000))
show(buffer.raw[8:])
