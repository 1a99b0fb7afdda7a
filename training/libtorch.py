#!/usr/bin/env python3
"""Finds or makes a libtorch 2.11.0 for `flexmix-torch` and prints its folder.

In this order: $LIBTORCH; an installed Python torch 2.11; the cache; the registry's wheel, fetched by pip with
its digest checked. Of that wheel (a CUDA build of 530 MB) a CPU needs only libtorch_cpu, libc10 and libgomp;
`libtorch.so`, which would pull CUDA in, is replaced by an empty library.
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

VERSION = "2.11.0"
# requirement, digest of the wheel for CPython 3.11 on x86-64 Linux; the libraries in it do not depend on Python
WHEELS = [
    ("torch==2.11.0", "sha256:7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a"),
    ("nvidia-cuda-cupti==13.0.85", "sha256:4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8"),
    ("nvidia-cuda-runtime==13.0.96", "sha256:7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548"),
]
KEEP = ("torch/include/", "torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp",
        "torch/share/cmake/")
BESIDE = ("libcupti.so.13", "libcudart.so.13")


def say(text):
    print(f"libtorch: {text}", file=sys.stderr)


def version_of(folder):
    """The version that a libtorch folder says it has, or None."""
    parts = {}
    try:
        with open(os.path.join(folder, "include/torch/headeronly/version.h")) as header:
            for line in header:
                word = line.split()
                if len(word) == 3 and word[0] == "#define" and word[1].startswith("TORCH_VERSION_"):
                    parts[word[1][len("TORCH_VERSION_"):]] = word[2]
        return "{MAJOR}.{MINOR}.{PATCH}".format(**parts)
    except (OSError, KeyError):
        return None


def from_environment():
    folder = os.environ.get("LIBTORCH")
    if not folder:
        return None
    found = version_of(folder)
    if found != VERSION:
        sys.exit(f"libtorch: LIBTORCH={folder} is {found or 'no libtorch'}; flexmix-torch needs {VERSION}. "
                 "Unset LIBTORCH to have one fetched.")
    return folder


def from_python():
    """An installed Python torch of the right version, CUDA or not."""
    probe = "import torch,os;print(torch.__version__);print(os.path.dirname(torch.__file__))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    if done.returncode != 0:
        return None
    version, folder = done.stdout.split("\n")[:2]
    return folder if version.split("+")[0] == VERSION and version_of(folder) == VERSION else None


def fetch(target):
    """Downloads the three wheels and keeps what a CPU needs, in one atomic step."""
    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    work = tempfile.mkdtemp(prefix="libtorch-", dir=parent)
    try:
        requirements = os.path.join(work, "requirements.txt")
        with open(requirements, "w") as out:
            for name, digest in WHEELS:
                out.write(f"{name} --hash={digest}\n")
        wheels = os.path.join(work, "wheels")
        say(f"fetching torch {VERSION} (545 MB, once) into {target}")
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
             "--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311",
             "--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_25_x86_64",
             "--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_17_x86_64",
             "-r", requirements, "-d", wheels],
            check=True, stdout=sys.stderr)
        made = os.path.join(work, "made")
        lib = os.path.join(made, "lib")
        os.makedirs(lib)
        for wheel in sorted(glob.glob(os.path.join(wheels, "*.whl"))):
            with zipfile.ZipFile(wheel) as archive:
                for entry in archive.namelist():
                    if entry.startswith(KEEP) and not entry.endswith("/"):
                        extract(archive, entry, os.path.join(made, entry[len("torch/"):]))
                    elif os.path.basename(entry) in BESIDE:
                        extract(archive, entry, os.path.join(lib, os.path.basename(entry)))
        stub(lib)
        if version_of(made) != VERSION:
            sys.exit(f"libtorch: the wheel does not hold torch {VERSION}")
        os.rename(made, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def extract(archive, entry, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with archive.open(entry) as source, open(path, "wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)


def stub(lib):
    """An empty libtorch.so: the linker asks for it, nothing is used from it."""
    source = os.path.join(lib, "stub.c")
    with open(source, "w") as out:
        out.write("void flexmix_libtorch_stub(void) {}\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-Wl,-soname,libtorch.so", "-o", os.path.join(lib, "libtorch.so"),
                    source], check=True)
    os.remove(source)


def main():
    folder = from_environment() or from_python()
    if folder is None:
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        folder = os.path.join(cache, "flexmix", f"libtorch-{VERSION}-cpu")
        if version_of(folder) != VERSION:
            fetch(folder)
    print(folder)


if __name__ == "__main__":
    main()
