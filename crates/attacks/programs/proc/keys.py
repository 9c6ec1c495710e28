"""Lists the keys that the kernel keeps for a user; a name is a secret.

decoy: named_key
stopped by: root
as root: user
"""
show(read("/proc/keys"))
