"""Changes the limits of a process on the host.

decoy: process
stopped by: pid
as root: user
"""
resource.prlimit(FACTS["pid"], resource.RLIMIT_NOFILE, (50, 50))
