"""Takes one program out of a wheel. Arguments: the wheel, the end of the member's name, the file to write."""

import os
import shutil
import sys
import zipfile

wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    (name,) = (each for each in archive.namelist() if each.endswith(member))
    with archive.open(name) as source, open(target, "wb") as file:
        shutil.copyfileobj(source, file)
os.chmod(target, 0o755)
