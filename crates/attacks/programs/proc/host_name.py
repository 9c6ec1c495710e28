"""Renames the host through /proc/sys.

decoy: host_name
stopped by: root, uts
as root: user
needs: root
"""
descriptor = os.open("/proc/sys/kernel/hostname", os.O_WRONLY)
os.write(descriptor, b"attacked")
