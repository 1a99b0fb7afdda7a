#!/usr/bin/env python3
"""Gets the demo's packages with the ordinary clients and checks them against the recipe's digests.

    python3 fetch.py --into DIR [--recipe RECIPE]

Uses no network when every object is there with the right digest. Exit codes are those of flexmix: 0 done, 2 usage or
configuration, 3 input failure.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Failed(Exception):
    """An input failure, with what to do about it."""


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def objects(recipe):
    """Each object once: its name, its pin and its package."""
    found = {}
    for source in recipe["source"]:
        if "package" not in source:
            continue
        pin = source["sha256"].removeprefix("sha256:")
        entry = (pin, source["package"])
        if found.setdefault(source["object"], entry) != entry:
            sys.exit(f"error: source `{source['id']}` pins `{source['object']}` in two ways")
    return found


def run(command, **options):
    print("  $", " ".join(command), file=sys.stderr, flush=True)
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode != 0:
        tail = "\n".join(result.stdout.splitlines()[-15:])
        raise Failed(f"`{command[0]}` exited with {result.returncode}\n{tail}")


def npm(package, folder):
    run(["npm", "pack", "--silent", f"{package['name']}@{package['version']}"], cwd=folder)


def pip(package, folder):
    kind = ["--only-binary", ":all:"] if package.get("wheel") else ["--no-binary", ":all:"]
    python = ["--python-version", package["python"]] if "python" in package else []
    name = f"{package['name']}=={package['version']}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*command, *kind, *python, "--dest", ".", name], cwd=folder)


def cargo(package, folder):
    """Fetches through an empty project that depends on the one crate; its archive is then in cargo's own cache."""
    project = folder / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "lib.rs").write_text("")
    (project / "Cargo.toml").write_text(
        '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n\n[workspace]\n\n[dependencies]\n'
        f'{package["name"]} = {{ version = "={package["version"]}", default-features = false }}\n'
    )
    run(["cargo", "fetch", "--quiet"], cwd=project)
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    name = f"{package['name']}-{package['version']}.crate"
    for archive in sorted((home / "registry" / "cache").glob(f"*/{name}")):
        shutil.copy(archive, folder)
        return
    raise Failed(f"cargo fetched `{package['name']}`, but `{name}` is not in its cache below `{home}`")


def fetch(name, pin, package, into):
    with tempfile.TemporaryDirectory(dir=into, prefix=".fetch-") as scratch:
        folder = Path(scratch)
        {"npm": npm, "pip": pip, "cargo": cargo}[package["client"]](package, folder)
        got = folder / name
        if not got.is_file():
            there = ", ".join(sorted(p.name for p in folder.iterdir() if p.is_file())) or "nothing"
            raise Failed(f"expected `{name}`, the client left {there}")
        found = digest(got)
        if found != pin:
            raise Failed(
                f"`{name}` changed: its digest is sha256:{found}, the recipe pins sha256:{pin}\n"
                "hint: the registry gives other bytes than those that were read when the recipe was written; read the "
                "package's text and license evidence anew, then change `sha256` and `read_at` in the recipe"
            )
        os.replace(got, into / name)


def main():
    parser = argparse.ArgumentParser(description="Gets the demo's packages and checks their digests.")
    parser.add_argument("--into", required=True, type=Path, metavar="DIR", help="the inputs folder")
    parser.add_argument("--recipe", type=Path, default=HERE / "recipe.toml", help="the recipe with the pins")
    arguments = parser.parse_args()
    try:
        recipe = tomllib.loads(arguments.recipe.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        print(f"error: cannot read the recipe `{arguments.recipe}`: {error}", file=sys.stderr)
        return 2
    arguments.into.mkdir(parents=True, exist_ok=True)
    wanted = objects(recipe)
    failures = 0
    for number, (name, (pin, package)) in enumerate(sorted(wanted.items()), 1):
        place = arguments.into / name
        if place.is_file() and digest(place) == pin:
            continue
        print(f"[{number}/{len(wanted)}] {package['client']}: {package['name']} {package['version']}", file=sys.stderr)
        try:
            fetch(name, pin, package, arguments.into)
        except (Failed, OSError) as error:
            failures += 1
            print(f"error: cannot get `{name}`: {error}", file=sys.stderr)
    if failures:
        print(f"error: {failures} of {len(wanted)} packages are missing", file=sys.stderr)
        return 3
    print(f"{len(wanted)} packages are there and have the recipe's digests", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
