"""Opens for writing what sets the emergency keys; it writes nothing.

decoy: word
stopped by: root
as root: user
needs: root
"""
os.close(os.open(needs("/proc/sysrq-trigger"), os.O_WRONLY))
won()
