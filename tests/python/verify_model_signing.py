#!/usr/bin/env python3
"""Runs OpenSSF's model_signing on a folder, from a virtual environment in the user's cache.

    verify_model_signing.py verify PUBLIC_KEY FOLDER [OPTION...]
    verify_model_signing.py sign PRIVATE_KEY FOLDER [OPTION...]
    verify_model_signing.py install

The signature is FOLDER/model.sig; OPTIONs are the tool's. The exit status and output are the tool's; 77 means that the tool
could not be installed (no registry), which a caller reports as skipped.
"""

import os
import pathlib
import subprocess
import sys
import venv

# 1.1.1 imports OpenSSL without depending on it, so pyOpenSSL is named here.
REQUIREMENTS = ["model-signing==1.1.1", "pyOpenSSL"]
SKIPPED = 77


def tool():
    """The program's path, installed on first use."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    home = cache / "flexmix" / "venv" / "model-signing-1.1.1"
    program = home / "bin" / "model_signing"
    done = home / "installed"
    if not done.is_file():
        venv.create(home, with_pip=True, clear=True)
        pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run(pip + REQUIREMENTS, stdout=sys.stderr).returncode != 0:
            print("model_signing cannot be installed", file=sys.stderr)
            sys.exit(SKIPPED)
        done.touch()
    return program


def main(arguments):
    if arguments == ["install"]:
        print(tool())
        return 0
    if len(arguments) < 3 or arguments[0] not in ("sign", "verify"):
        print(__doc__, file=sys.stderr)
        return 2
    action, key, folder = arguments[:3]
    signature = os.path.join(folder, "model.sig")
    option = "--private_key" if action == "sign" else "--public_key"
    command = [tool(), action, "key", option, key, "--signature", signature, *arguments[3:], folder]
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
