"""Measures with the kernel's performance counters.

decoy: word
stopped by: seccomp
"""
# A software event, the task's clock, in this process, outside of the kernel.
event = struct.pack("IIQQQQ", 1, 112, 1, 0, 0, 0) + struct.pack("Q", 1 << 5 | 1 << 6)
try:
    counter = call(298, ctypes.create_string_buffer(event, 112), 0, -1, -1, 0)
except PermissionError:
    if FACTS["control"]:
        skip("this host lets only root measure")
    raise
sum(range(10000))
if struct.unpack("Q", os.read(counter, 8))[0] > 0:
    won()
