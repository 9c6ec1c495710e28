"""Becomes another user.

decoy: word
stopped by: capabilities, user
needs: root
"""
os.setresuid(12345, 12345, 12345)
if os.getuid() == 12345:
    won()
