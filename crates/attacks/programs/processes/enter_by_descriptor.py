"""Enters the namespaces of a process on the host by a descriptor for it; the name it has there is a secret.

decoy: named_process
stopped by: pid, seccomp, landlock
as root: capabilities, user
needs: root
"""
check(libc.setns(os.pidfd_open(FACTS["pid"]), 0x04000000))
show(socket.gethostname())
