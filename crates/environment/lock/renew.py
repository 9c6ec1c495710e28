"""Renews the lock of an environment, and of uv itself, from the newest releases.

    uv run --no-project --python 3.11 --with packaging crates/environment/lock/renew.py [NAME …]

Needs `uv` and, for `javascript`, `npm` on the PATH, and a package index that tells the sizes of files. For each NAME.in
(default: all of them; `uv` and `javascript` are names too) it writes

    NAME.txt      requirements, every one with the hash of each wheel that may be installed; no marker, no address
    NAME.wheels   `sha256 bytes filename` of those wheels, so that a progress bar knows how much is left
    NAME.modules  the modules that can be imported with it, so that an environment can be chosen by a program's imports

and `uv.wheels`, the wheels of uv that are fetched where the machine has no uv. Of `javascript/package.json`, the
JavaScript libraries of every environment, it makes

    package-lock.json   npm's lock: every package with its hash, for every machine; no address
    bytes               for each architecture, how much npm fetches with it

One version of each package serves every
interpreter and architecture below: that is checked. The requirements need no markers, for the table has wheels only for
those that want the package: one that has no wheel there is left out there. A change of any of these files gives the
environment another id, so it is installed anew beside the old one; and `docs/libraries.md` is to be made anew, as its test says.

In NAME.in a line is a requirement, `-r OTHER.in`, or `--without PACKAGE`: a dependency that is left out, with the reason
in a comment above it. Installing needs wheels: what comes as source only would run as we install it.
"""

import gzip
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

from packaging.markers import Marker

HERE = pathlib.Path(__file__).resolve().parent
PYTHONS = range(11, 15)
ARCHITECTURES = ("x86_64", "aarch64")
TARGETS = [(minor, machine) for minor in PYTHONS for machine in ARCHITECTURES]
PYPROJECT = """
[project]
name = "locked"
version = "0"
requires-python = ">=3.{first},<3.{beyond}"
dependencies = [{dependencies}]
[tool.uv]
package = false
fork-strategy = "fewest"
override-dependencies = [{without}]
environments = [{environments}]
"""


def lines_of(path):
    """The requirements of a NAME.in, and the packages that are left out."""
    wanted, without = [], []
    for line in path.read_text().splitlines():
        line = line.strip()
        if line.startswith("-r "):
            below = lines_of(path.with_name(line.removeprefix("-r ")))
            wanted += below[0]
            without += below[1]
        elif line.startswith("--without "):
            without.append(line.removeprefix("--without "))
        elif line and not line.startswith("#"):
            wanted.append(line)
    return wanted, without


def resolve(wanted, without=()):
    """Every package of one resolution, as uv's own lock file tells it, with `targets`: who needs it."""

    def listed(items):
        return ", ".join(f'"{each}"' for each in items)

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
                dependencies=listed(wanted),
                environments=listed(environments),
                without=listed(f"{each}; python_version < '3'" for each in without),
            )
        )
        subprocess.run(["uv", "lock", "--quiet", "--project", folder], check=True)
        packages = tomllib.loads((project / "uv.lock").read_text())["package"]
        export = ["uv", "export", "--quiet", "--frozen", "--no-hashes", "--no-header", "--no-annotate", "--project", folder]
        markers = {}
        for line in subprocess.run(export, check=True, capture_output=True, text=True).stdout.splitlines():
            requirement, _, marker = line.partition(" ; ")
            markers.setdefault(requirement.partition("==")[0], []).append(marker)
    found = []
    for package in packages:
        package["targets"] = [each for each in TARGETS if any(holds(it, *each) for it in markers.get(package["name"], []))]
        if package["targets"]:
            found.append(package)
    return found


def holds(marker, minor, machine):
    """Whether a marker holds for some release of CPython 3.`minor` on `machine`."""
    return not marker or any(
        Marker(marker).evaluate(
            {
                "python_version": f"3.{minor}",
                "python_full_version": f"3.{minor}.{patch}",
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
                "platform_system": "Linux",
                "sys_platform": "linux",
                "os_name": "posix",
                "platform_machine": machine,
            }
        )
        for patch in (0, 99)
    )


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
    """(sha256, bytes, filename) of each wheel that an interpreter which needs it would take; all must find one."""
    found = {}
    for minor, machine in package["targets"]:
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
    # Scripts, and what a package left lying about.
    strays = {"__pycache__", "bin", "setup"}
    return sorted(name for name in names - strays if name.isidentifier())


def renew(name):
    packages = resolve(*lines_of(HERE / f"{name}.in"))
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
    (HERE / "uv.wheels").write_text(table(wheels(package)))


def travelled(content):
    """The bytes of something fetched: an archive as it is; what tells of packages is compressed on its way."""
    return len(content if content.startswith(b"\x1f\x8b") else gzip.compress(content))


def renew_javascript():
    """Everything anew: a lock that is there is not looked at."""
    place = HERE / "javascript"
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder, "project")
        project.mkdir()
        shutil.copy(place / "package.json", project)

        def npm(*arguments):
            quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
            subprocess.run(["npm", *arguments, *quiet], cwd=project, check=True, stdout=subprocess.DEVNULL)

        npm("install", "--package-lock-only", "--omit-lockfile-registry-resolved")
        lines = []
        for machine, cpu in sorted({"x86_64": "x64", "aarch64": "arm64"}.items()):
            cache = pathlib.Path(folder, machine)
            npm("ci", "--os=linux", f"--cpu={cpu}", "--cache", str(cache))
            fetched = (path for path in cache.joinpath("_cacache/content-v2").rglob("*") if path.is_file())
            lines.append(f"{machine} {sum(travelled(path.read_bytes()) for path in fetched)}\n")
        shutil.copy(project / "package-lock.json", place)
        (place / "bytes").write_text("".join(lines))


if __name__ == "__main__":
    others = {"uv": renew_uv, "javascript": renew_javascript}
    for each in sys.argv[1:] or [*sorted(path.stem for path in HERE.glob("*.in")), *others]:
        others[each]() if each in others else renew(each)
