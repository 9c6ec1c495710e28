"""Has the kernel keep something that outlives it, where no namespace divides.

decoy: word
stopped by: seccomp
"""
key = call(248, b"user", b"cellblock-attack", b"kept", 4, -2)
buffer = ctypes.create_string_buffer(100)
if call(250, 11, key, buffer, 100) == 4 and buffer.raw[:4] == b"kept":
    won()
call(250, 21, key)
