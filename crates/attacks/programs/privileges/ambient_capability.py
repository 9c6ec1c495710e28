"""Raises a capability that programs inherit.

decoy: word
stopped by: capabilities
needs: root
"""
header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0))
data = ctypes.create_string_buffer(24)
call(125, header, data)
words = list(struct.unpack("6I", data.raw[:24]))
words[2] = words[1]
words[5] = words[4]
call(126, header, ctypes.create_string_buffer(struct.pack("6I", *words)))
check(libc.prctl(47, 2, 10, 0, 0))
if libc.prctl(47, 1, 10, 0, 0) == 1:
    won()
