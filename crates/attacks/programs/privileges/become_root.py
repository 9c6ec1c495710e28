"""Becomes root.

decoy: word
stopped by: user
needs: root
"""
os.setresuid(0, 0, 0)
if os.getuid() == 0 and open("/proc/self/uid_map").read().split()[:2] == ["0", "0"]:
    won()
