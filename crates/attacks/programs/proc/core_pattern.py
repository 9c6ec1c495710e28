"""Opens for writing what sets the program that the kernel starts for a crash; it writes nothing.

decoy: word
stopped by: root
as root: user
needs: root
"""
os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
won()
