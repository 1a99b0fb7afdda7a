#!/usr/bin/env python3
"""Runs reference implementations of what flexmix writes, from a virtual environment in the user's cache.

    reference.py install                                  prints the Python that has them
    reference.py dsse ENVELOPE THRESHOLD PUBLIC_KEY...    securesystemslib verifies, in-toto-attestation parses
    reference.py sign TYPE PAYLOAD ENVELOPE PUBLIC_KEY    securesystemslib signs with a new Ed25519 key
    reference.py canonical < LINES                        rfc8785 writes each line of JSON anew
    reference.py run SCRIPT ARGUMENT...                   a script of ours that needs `cryptography` alone

`dsse` prints what was found as JSON. The exit status 77 means that the tools could not be installed (no registry).
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import venv

REQUIREMENTS = ["securesystemslib==1.6.0", "in-toto-attestation==0.9.3", "rfc8785==0.1.4", "cryptography==50.0.2"]
SKIPPED = 77


def environment():
    """The Python that has them, installed on first use."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    name = "reference-" + hashlib.sha256(" ".join(REQUIREMENTS).encode()).hexdigest()[:12]
    home = cache / "flexmix" / "venv" / name
    python, done = home / "bin" / "python", home / "installed"
    if done.is_file():
        return python
    # Several tests may come here at once: each makes its own, and the first to finish is kept.
    half = home.with_name(f"{name}.{os.getpid()}")
    venv.create(half, with_pip=True, clear=True)
    pip = [half / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS]
    if subprocess.run(pip, stdout=sys.stderr).returncode != 0:
        print("the reference implementations cannot be installed", file=sys.stderr)
        sys.exit(SKIPPED)
    (half / "installed").touch()
    try:
        half.rename(home)
    except OSError:
        pass
    return python


def public_key(path):
    """The key with the id that flexmix gives it: SHA-256 of its SPKI DER."""
    from cryptography.hazmat.primitives import serialization as s
    from securesystemslib.signer import SSlibKey

    key = s.load_pem_public_key(pathlib.Path(path).read_bytes())
    der = key.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
    return SSlibKey.from_crypto(key, keyid="sha256:" + hashlib.sha256(der).hexdigest())


def dsse(envelope, threshold, *keys):
    from google.protobuf import json_format
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement
    from securesystemslib.dsse import Envelope

    envelope = Envelope.from_dict(json.loads(pathlib.Path(envelope).read_bytes()))
    signed = envelope.verify([public_key(k) for k in keys], int(threshold))
    found = {"payload": "sha256:" + hashlib.sha256(envelope.payload).hexdigest(), "keys": sorted(signed)}
    if envelope.payload_type == "application/vnd.in-toto+json":
        statement = Statement.copy_from_pb(json_format.Parse(envelope.payload, statement_pb2.Statement()))
        statement.validate()
        found["predicate_type"] = statement.pb.predicate_type
        found["subjects"] = {s.name: s.digest["sha256"] for s in statement.pb.subject}
        found["schema"] = statement.pb.predicate["schema"]
    print(json.dumps(found))


def sign(payload_type, payload, envelope, public):
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    key = Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    pathlib.Path(public).write_bytes(pem)
    signer = CryptoSigner(key, public_key(public))
    signed = Envelope(pathlib.Path(payload).read_bytes(), payload_type, {})
    signed.sign(signer)
    pathlib.Path(envelope).write_text(json.dumps(signed.to_dict()))


def canonical():
    import rfc8785

    for line in sys.stdin.buffer.read().splitlines():
        sys.stdout.buffer.write(rfc8785.dumps(json.loads(line)) + b"\n")


def main(arguments):
    python = environment()
    if arguments == ["install"]:
        print(python)
        return 0
    if arguments[:1] == ["run"]:
        return subprocess.run([python, *arguments[1:]]).returncode
    commands = {"dsse": dsse, "sign": sign, "canonical": canonical}
    if not arguments or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    if pathlib.Path(sys.prefix).resolve() != python.parent.parent.resolve():
        return subprocess.run([python, __file__, *arguments]).returncode
    commands[arguments[0]](*arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
