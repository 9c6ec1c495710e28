"""Renews the lock of an environment, and of uv itself, from the newest releases.

    uv run --no-project --python 3.11 crates/environment/lock/renew.py [NAME …]

Needs `uv` on the PATH and a package index that tells the sizes of files. For each NAME.in (default: all of them) it writes

    NAME.txt      requirements, every one with the hash of each wheel that may be installed; no marker, no address
    NAME.wheels   `sha256 bytes filename` of those wheels, so that a progress bar knows how much is left
    NAME.modules  the modules that can be imported with it, so that an environment can be chosen by a program's imports

and `uv.wheels`, the wheels of uv that are fetched where the machine has no uv. One version of each package serves every
interpreter and architecture below: that is checked, and it is why the requirements need no markers. A change of any of
these files gives the environment another id, so it is installed anew beside the old one.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
PYTHONS = range(11, 15)
ARCHITECTURES = ("x86_64", "aarch64")
PYPROJECT = """
[project]
name = "locked"
version = "0"
requires-python = ">=3.{first},<3.{beyond}"
dependencies = [{dependencies}]
[tool.uv]
package = false
fork-strategy = "fewest"
environments = [{environments}]
"""


def resolve(dependencies):
    """Every package of one resolution, as uv's own lock file tells it."""
    environments = (
        f"sys_platform == 'linux' and platform_machine == '{machine}' and implementation_name == 'cpython'"
        for machine in ARCHITECTURES
    )
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder)
        (project / "pyproject.toml").write_text(
            PYPROJECT.format(
                first=PYTHONS.start,
                beyond=PYTHONS.stop,
                dependencies=", ".join(f'"{each}"' for each in dependencies),
                environments=", ".join(f'"{each}"' for each in environments),
            )
        )
        subprocess.run(["uv", "lock", "--quiet", "--project", folder], check=True)
        packages = tomllib.loads((project / "uv.lock").read_text())["package"]
    return [each for each in packages if each["name"] != "locked"]


def fits(filename, minor, machine):
    """Whether a wheel can be installed for CPython 3.`minor` on glibc Linux on `machine`."""
    pythons, abis, platforms = filename.removesuffix(".whl").split("-")[-3:]
    if platforms != "any" and not re.search(rf"manylinux\w*_{machine}(\.|$)", platforms):
        return False
    if f"cp3{minor}" in abis.split("."):
        return True
    if abis == "abi3":
        return any(int(each[3:]) <= minor for each in pythons.split(".") if each.startswith("cp3"))
    return abis == "none" and ("py3" in pythons.split(".") or f"cp3{minor}" in pythons.split("."))


def wheels(package):
    """(sha256, bytes, filename) of each wheel that some interpreter here would take; all of them must find one."""
    found = {}
    for minor in PYTHONS:
        for machine in ARCHITECTURES:
            fitting = [each for each in package.get("wheels", []) if fits(name_of(each), minor, machine)]
            if not fitting:
                sys.exit(f"{package['name']} {package['version']} has no wheel for CPython 3.{minor} on {machine}")
            for each in fitting:
                found[name_of(each)] = (each["hash"].removeprefix("sha256:"), each["size"], name_of(each))
    return [found[name] for name in sorted(found)]


def name_of(wheel):
    return wheel["url"].rsplit("/", 1)[1]


def table(rows):
    return "".join(f"{sha256} {size} {filename}\n" for sha256, size, filename in rows)


def modules(requirements):
    """The names that can be imported once these requirements are installed."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["uv", "pip", "install", "--quiet", "--no-deps", "--target", folder, "--requirement", requirements],
            check=True,
        )
        names = set()
        for record in pathlib.Path(folder).glob("*.dist-info/RECORD"):
            for line in record.read_text().splitlines():
                path = line.rsplit(",", 2)[0].strip('"')
                top, _, below = path.partition("/")
                if below and below.endswith((".py", ".so")):
                    names.add(top)
                elif not below and top.endswith((".py", ".so")):
                    names.add(top.split(".")[0])
    return sorted(name for name in names if name.isidentifier() and name != "__pycache__")


def renew(name):
    dependencies = [
        line.strip() for line in (HERE / f"{name}.in").read_text().splitlines() if line.strip() and line[0] != "#"
    ]
    packages = resolve(dependencies)
    if len({each["name"] for each in packages}) != len(packages):
        sys.exit(f"{name}: a package needs more than one version; narrow it in {name}.in")
    lines, rows = [], []
    for package in packages:
        chosen = wheels(package)
        hashes = " \\\n".join(f"    --hash=sha256:{sha256}" for sha256 in sorted(row[0] for row in chosen))
        lines.append(f"{package['name']}=={package['version']} \\\n{hashes}\n")
        rows += chosen
    (HERE / f"{name}.txt").write_text("".join(lines))
    (HERE / f"{name}.wheels").write_text(table(rows))
    (HERE / f"{name}.modules").write_text("".join(f"{each}\n" for each in modules(HERE / f"{name}.txt")))


def renew_uv():
    """Only wheels that run on any Linux with glibc; the version is read from the file name."""
    (package,) = resolve(["uv"])
    rows = [row for row in wheels(package)]
    (HERE / "uv.wheels").write_text(table(rows))


if __name__ == "__main__":
    for each in sys.argv[1:] or sorted(path.stem for path in HERE.glob("*.in")):
        renew(each)
    renew_uv()
