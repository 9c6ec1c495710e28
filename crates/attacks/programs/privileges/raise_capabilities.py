"""Takes capabilities that it does not have, and uses one.

decoy: word
stopped by: capabilities
needs: root
"""
header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0))
mask = 1 << 6 | 1 << 7
call(126, header, ctypes.create_string_buffer(struct.pack("6I", mask, mask, mask, 0, 0, 0)))
os.setresgid(os.getgid(), os.getgid(), 4243 if open("/proc/self/gid_map").read().split()[:2] == ["0", "0"] else os.getgid())
won()
