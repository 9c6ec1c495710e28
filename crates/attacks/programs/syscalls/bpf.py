"""Has the kernel keep a table for programs that run in it, and reads back what it put there.

decoy: word
stopped by: seccomp
as root: capabilities, user
needs: root
"""
key, value, back = (ctypes.create_string_buffer(8) for _ in range(3))
value.raw = b"12345678"
table = call(321, 0, ctypes.create_string_buffer(struct.pack("5I", 2, 4, 8, 1, 0), 72), 72)
for operation, place in ((2, value), (1, back)):
    arguments = struct.pack("IxxxxPPQ", table, ctypes.addressof(key), ctypes.addressof(place), 0)
    call(321, operation, ctypes.create_string_buffer(arguments, 72), 72)
if back.raw == value.raw:
    won()
