"""Gives a file of the host's a second name in the workspace, and reads it there.

decoy: file
stopped by: root, landlock
"""
os.link(FACTS["path"], "second")
show(read("second"))
