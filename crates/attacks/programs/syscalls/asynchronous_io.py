"""Takes requests out of the one budget that the host has for asynchronous input and output.

decoy: word
stopped by: seccomp
"""
context = ctypes.c_ulong(0)
call(206, 8, ctypes.byref(context))
if context.value:
    won()
