"""Sets the host's clock, asked with no time at all.

decoy: word
stopped by: seccomp
as root: capabilities, user
needs: root
"""
call(164, 0, 0)
won()
