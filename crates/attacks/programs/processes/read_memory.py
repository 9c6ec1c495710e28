"""Reads the memory of a process on the host with process_vm_readv.

decoy: process
stopped by: pid, user, seccomp, landlock
as root: capabilities
"""
class Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


buffer = ctypes.create_string_buffer(FACTS["length"])
own, other = Part(ctypes.addressof(buffer), FACTS["length"]), Part(FACTS["secret"], FACTS["length"])
check(libc.process_vm_readv(FACTS["pid"], ctypes.byref(own), 1, ctypes.byref(other), 1, 0))
show(buffer.raw)
