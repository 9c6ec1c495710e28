"""Makes a cgroup of its own, with limits of its own choice.

decoy: word
stopped by: root, landlock
as root: user
needs: root
"""
found = [line.split() for line in open("/proc/mounts")]
for place in [words[1] for words in found if words[2] == "cgroup2" or words[2] == "cgroup" and "name=" in words[3]]:
    path = f"{place}/cellblock-attack-{os.getpid()}"
    os.mkdir(path)
    os.rmdir(path)
    won()
