"""Opens for writing what sets what the kernel does about its own faults; it writes nothing.

decoy: word
stopped by: root
as root: user
needs: root
"""
os.close(os.open("/proc/sys/kernel/panic_on_oops", os.O_WRONLY))
won()
