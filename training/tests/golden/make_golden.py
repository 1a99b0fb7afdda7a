#!/usr/bin/env python3
"""Writes what transformers 5.23.0 itself computes for tiny random Olmo2 and FlexOlmo models.

    make_golden.py [FOLDER]

Into FOLDER (this file's own by default): the weights and configurations as `save_pretrained` writes them, the input
and the logits. `config.json` is read and not written: it is an anchor's configuration as flexmix-torch writes it, and
the reference must understand it. On first use the script installs the reference in the user's cache (600 MB).

torch's wheel is a CUDA build. All that a CPU needs of CUDA are two small packages; the other libraries that it names
are replaced by empty ones, which is enough as long as functions are bound when they are first called.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import venv

ALONE = ["torch==2.11.0", "nvidia-cuda-cupti==13.0.85", "nvidia-cuda-runtime==13.0.96"]
WHOLE = ["transformers==5.23.0", "filelock", "typing-extensions", "sympy", "networkx", "jinja2", "fsspec"]
READY = "FLEXMIX_GOLDEN_READY"
# Lengths of the input's documents; each is a sequence of its own.
DOCUMENTS = [25, 14]
# Experts (the anchor's among them) and how many act on a token.
MIXTURES = {2: [1, 2], 4: [2, 4]}
SEED = 20260101


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def write_stubs(libraries, folder):
    """An empty library, with its symbol versions, for each CUDA library that torch names and nobody installed."""
    files = sorted(path for path in libraries.iterdir() if ".so" in path.name)
    versions = {}
    for path in files:
        for name in re.findall(r"NEEDED.*\[(lib(?:cu|nv|nccl).*?)\]", output("readelf", "-d", path)):
            if not (libraries / name).exists() and not name.startswith(("libcudart.", "libcupti.")):
                versions.setdefault(name, set())
    for path in files:
        name = None
        for line in output("readelf", "-V", "-W", path).splitlines():
            if found := re.search(r"File: (\S+)", line):
                name = found[1]
            elif (found := re.search(r"Name: (\S+) +Flags", line)) and name in versions:
                versions[name].add(found[1])
    folder.mkdir()
    for name, needed in versions.items():
        command = ["cc", "-shared", "-fPIC", "-x", "c", os.devnull, "-o", folder / name, f"-Wl,-soname,{name}"]
        if needed:
            script = folder / f"{name}.map"
            script.write_text("".join(f"{version} {{ }};\n" for version in sorted(needed)))
            command.append(f"-Wl,--version-script={script}")
        subprocess.run(command, check=True)


def enter():
    """Installs the reference on first use and runs this script again in it."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    home = cache / "flexmix" / "venv" / "torch-2.11.0-transformers-5.23.0"
    python = home / "bin" / "python"
    if not (home / "installed").is_file():
        venv.create(home, with_pip=True, clear=True, symlinks=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *WHOLE], check=True)
        subprocess.run([*pip, "--no-deps", *ALONE], check=True)
        write_stubs(next(home.glob("lib/python3*/site-packages/torch/lib")), home / "stubs")
        (home / "installed").touch()
    paths = [str(home / "stubs"), os.environ.get("LD_LIBRARY_PATH", "")]
    environment = {**os.environ, READY: "1", "LD_LIBRARY_PATH": ":".join(filter(None, paths))}
    os.execve(python, [str(python), *sys.argv], environment)


def draw(shape, generator):
    """Norms near 1, matrices that keep the size of what they multiply."""
    import torch
    values = torch.randn(shape, generator=generator)
    return 1.0 + 0.2 * values if len(shape) == 1 else values * shape[-1] ** -0.5


def save(model, folder, name):
    """`save_pretrained`, with only the weights (and the configuration of a mixture) kept."""
    with tempfile.TemporaryDirectory() as made:
        model.save_pretrained(made)
        shutil.copyfile(f"{made}/model.safetensors", folder / f"{name}.safetensors")
        if name != "olmo2":
            shutil.copyfile(f"{made}/config.json", folder / f"{name}.json")


def answer(model, documents):
    """Logits of every document, one after another."""
    import torch
    with torch.no_grad():
        return torch.cat([model(torch.tensor([ids])).logits[0] for ids in documents]).contiguous()


def check_margins(model, documents, k):
    """No choice of experts may hang on the last bits."""
    import torch
    for ids in documents:
        with torch.no_grad():
            logits = model(torch.tensor([ids]), output_router_logits=True).router_logits
        for layer in logits:
            best = layer.sort(-1, descending=True).values
            if k < best.shape[-1] and (best[:, k - 1] - best[:, k]).min() < 1e-3:
                sys.exit("two experts are nearly tied: take another seed")


def main(folder):
    import torch
    from safetensors.torch import save_file
    from transformers import AutoConfig, FlexOlmoConfig, FlexOlmoForCausalLM, Olmo2ForCausalLM

    eager = {"attn_implementation": "eager", "dtype": torch.float32}
    generator = torch.Generator().manual_seed(SEED)
    config = AutoConfig.from_pretrained(folder / "config.json")
    documents = [torch.randint(config.vocab_size, (n,), generator=generator).tolist() for n in DOCUMENTS]
    (folder / "input.json").write_text(json.dumps(documents) + "\n")

    dense = Olmo2ForCausalLM._from_config(config, **eager).eval()
    with torch.no_grad():
        for parameter in dense.parameters():
            parameter.copy_(draw(parameter.shape, generator))
    save(dense, folder, "olmo2")
    logits = {"olmo2": answer(dense, documents)}

    ours = json.loads((folder / "config.json").read_text())
    for key in ["architectures", "model_type", "torch_dtype", "flexmix"]:
        del ours[key]
    for experts, choices in MIXTURES.items():
        state = None
        for k in choices:
            made = FlexOlmoConfig(**ours, num_experts=experts, num_experts_per_tok=k)
            model = FlexOlmoForCausalLM._from_config(made, experts_implementation="eager", **eager).eval()
            if state is None:
                shared = dense.state_dict()
                state = {name: shared.get(name, None) for name in model.state_dict()}
                for name, value in model.state_dict().items():
                    if state[name] is None:
                        state[name] = draw(value.shape, generator)
                for n, layer in enumerate(dense.model.layers):
                    ffn, to = layer.mlp, f"model.layers.{n}.mlp.experts"
                    state[f"{to}.gate_up_proj"][0] = torch.cat([ffn.gate_proj.weight, ffn.up_proj.weight]).detach()
                    state[f"{to}.down_proj"][0] = ffn.down_proj.weight.detach()
            model.load_state_dict(state)
            check_margins(model, documents, k)
            logits[f"flex_olmo_{experts}.top_{k}"] = answer(model, documents)
        save(model, folder, f"flex_olmo_{experts}")
    save_file(logits, folder / "logits.safetensors")
    for name, values in logits.items():
        print(f"{name}: {tuple(values.shape)}, deviation {values.std():.3f}")


if __name__ == "__main__":
    if READY not in os.environ:
        enter()
    # Functions of the missing libraries are never called, so they must not be looked up either.
    sys.setdlopenflags(os.RTLD_LAZY | os.RTLD_GLOBAL)
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__.rpartition("/")[0] or "."))
