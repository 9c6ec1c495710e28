"""Reads how the host's clock is being adjusted, with the call that adjusts it.

decoy: word
stopped by: seccomp
"""
call(305, 0, ctypes.create_string_buffer(208))
won()
