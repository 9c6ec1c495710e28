"""Installs a filter of its own, which comes out of one budget for the whole host.

decoy: word
stopped by: seccomp
"""
check(libc.prctl(38, 1, 0, 0, 0))
code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7fff0000))
call(317, 1, 0, ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(code))))
won()
