"""Lists the host's sockets; a name is a secret.

decoy: secret_name
stopped by: net
"""
show(read("/proc/net/unix"))
