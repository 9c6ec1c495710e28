"""Enters a namespace of a process on the host; the name it has there is a secret.

decoy: named_process
stopped by: seccomp, landlock
as root: capabilities, user
needs: root
"""
namespace = os.open(f"/proc/{FACTS['pid']}/ns/uts", os.O_RDONLY)
check(libc.setns(namespace, 0))
show(socket.gethostname())
