"""Renames the host.

decoy: host_name
stopped by: uts, seccomp
as root: capabilities, user
needs: root
"""
socket.sethostname("attacked")
