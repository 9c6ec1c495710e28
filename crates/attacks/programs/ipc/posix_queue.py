"""Takes a message out of a POSIX queue on the host.

decoy: posix_queue
stopped by: ipc
as root: user
"""
queue = check(libc.mq_open(FACTS["name"].encode(), os.O_RDWR | os.O_NONBLOCK))
buffer = ctypes.create_string_buffer(1000)
check(libc.mq_receive(queue, buffer, 1000, None))
show(buffer.raw)
