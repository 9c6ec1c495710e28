"""Opens for writing the program that the kernel starts, on the host, when a cgroup is empty; it writes nothing.

decoy: word
stopped by: root, landlock
as root: user
needs: root
"""
found = [line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup"]
if not found and FACTS["control"]:
    skip("there is no cgroup of version 1 here")
for place in found[:1]:
    os.close(os.open(os.path.join(place, "release_agent"), os.O_WRONLY))
    won()
