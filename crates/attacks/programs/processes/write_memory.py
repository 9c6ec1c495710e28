"""Writes into the memory of a process on the host with process_vm_writev.

decoy: process
stopped by: pid, user, seccomp, landlock
as root: capabilities
"""
class Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


buffer = ctypes.create_string_buffer(b"written")
own, other = Part(ctypes.addressof(buffer), 7), Part(FACTS["mark"], 7)
check(libc.process_vm_writev(FACTS["pid"], ctypes.byref(own), 1, ctypes.byref(other), 1, 0))
