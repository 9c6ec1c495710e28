"""Writes a segment descriptor of the processor's.

decoy: word
stopped by: seccomp
"""
if call(154, 17, ctypes.create_string_buffer(struct.pack("4I", 0, 0, 0, 1 << 3 | 1 << 5)), 16) == 0:
    won()
