import os, subprocess, sys, zipfile


def wheel(name, version, files, script=None):
    """Makes a wheel in the folder `wheels`, with nothing but the standard library."""
    files, info = dict(files), f"{name}-{version}.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if script:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{script}\n"
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    os.makedirs("wheels", exist_ok=True)
    with zipfile.ZipFile(f"wheels/{name}-{version}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)


def says(line):
    """What a command line prints, both streams together; it must end with 0."""
    ended = subprocess.run(line, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert ended.returncode == 0, f"{line}: {ended.stdout}"
    return ended.stdout


os.environ.update(PIP_NO_INDEX="1", PIP_FIND_LINKS="wheels")
