"""Reads the name of the cgroup that it is in, which is the host's affair.

decoy: cgroup
stopped by: cgroup-namespace
needs: root
"""
show(read("/proc/self/cgroup"))
