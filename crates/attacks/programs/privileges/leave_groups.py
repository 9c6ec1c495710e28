"""Joins groups of the host's.

decoy: word
stopped by: capabilities, user
needs: root
"""
os.setgroups([0, 1, 4242])
if 4242 in os.getgroups():
    won()
