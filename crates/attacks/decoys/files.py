"""Files, directories, mounts, descriptors of files, devices."""

import ctypes
import os
import struct
import subprocess

from common import (OUTSIDE, PLACE, SCRATCH, SECRET, STAGED, WORKSPACE, Skip, check, decoy, libc, mount, needs_root, secret_file,
                    write)


def word():
    return {"word": SECRET}


def file():
    return {"path": secret_file()}


def mark():
    path = write(os.path.join(OUTSIDE, "mark"), "untouched")
    decoy.changed = lambda: open(path).read() != "untouched"
    return {"path": path}


def read_only_mount():
    """A directory that is mounted read-only in its only place."""
    needs_root()
    behind, place = os.path.join(SCRATCH, "behind"), os.path.join(OUTSIDE, "place")
    os.mkdir(behind)
    os.mkdir(place)
    path = write(os.path.join(behind, "mark"), "untouched")
    if STAGED:
        mount(behind, place, 4096)
        mount(None, place, 4096 | 32 | 1)
    decoy.changed = lambda: open(path).read() != "untouched"
    return {"mount": place, "path": os.path.join(place, "mark")}


def mounted():
    """A file system that others need."""
    needs_root()
    place = os.path.join(OUTSIDE, "place")
    os.mkdir(place)
    if STAGED:
        mount("none", place, 0, "tmpfs")
    path = write(os.path.join(place, "needed"), "here")
    decoy.changed = lambda: not os.path.exists(path)
    return {"mount": place}


def covered():
    """A file that others read: it is had if they find something else in its place."""
    path = secret_file()
    decoy.changed = lambda: not os.path.exists(path)
    return {"directory": OUTSIDE}


def fifo():
    path = os.path.join(OUTSIDE, "fifo")
    os.mkfifo(path, 0o666)
    os.chmod(path, 0o666)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def heard():
        try:
            return bool(os.read(reader, 100))
        except BlockingIOError:
            return False

    decoy.changed = heard
    return {"path": path}


def handle():
    """A file by its number on its file system, which is that of the workspace too."""
    path = secret_file()
    buffer = ctypes.create_string_buffer(struct.pack("II", 128, 0), 136)
    mount_id = ctypes.c_int()
    check(libc.name_to_handle_at(-100, path.encode(), buffer, ctypes.byref(mount_id), 0))
    size, kind = struct.unpack_from("Ii", buffer)
    return {"handle": buffer.raw[8:8 + size].hex(), "kind": kind}


def shared_file():
    path = f"/dev/shm/cellblock-decoy-{SECRET[:8]}"
    decoy.farewells.append(lambda: os.unlink(path))
    return {"path": write(path, SECRET)}


def disk():
    """A block device with a secret on it."""
    needs_root()
    image = os.path.join(SCRATCH, "image")
    write(image, SECRET.ljust(4096))
    try:
        done = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True)
    except FileNotFoundError:
        raise Skip("there is no `losetup` to make a device with")
    if done.returncode != 0:
        raise Skip(f"no device can be made here: {done.stderr.strip()}")
    path = done.stdout.strip()
    decoy.farewells.append(lambda: subprocess.run(["losetup", "--detach", path]))
    return {"path": path, "number": os.stat(path).st_rdev}


def core():
    """A place in which the memory of a process that crashes is found."""
    needs = open("/proc/sys/kernel/core_pattern").read().strip()
    if needs.startswith("|") or "/" in needs:
        raise Skip(f"cores are not written where a process works here: {needs}")
    decoy.changed = lambda: any(name.startswith("core") for name in os.listdir(WORKSPACE))
    return {}


# A cell's launcher has the descriptors of the harness, which says where they are; the secret goes there.

def descriptor():
    if PLACE == "machine":
        write(os.path.join(os.path.dirname(SCRATCH), "leak/secret.txt"), SECRET)
        return {}
    path = secret_file()
    decoy.handed.append(os.open(path, os.O_RDONLY))
    os.unlink(path)
    return {}


def directory():
    if PLACE == "machine":
        write(os.path.join(os.path.dirname(SCRATCH), "leak/secret.txt"), SECRET)
        return {}
    secret_file()
    decoy.handed.append(os.open(OUTSIDE, os.O_RDONLY | os.O_DIRECTORY))
    return {}
