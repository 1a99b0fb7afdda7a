#!/usr/bin/env python3
"""The main job on real text, step by step, with the two programs and throw-away keys.

    demo.py --out DIR --inputs DIR

Fetches packages of real text, builds a corpus from them, trains an anchor and three experts from its manifests, stamps
and merges them, and asks the merged model the same thing under two policies. Everything that it signs says DEMO.
$FLEXMIX and $FLEXMIX_TORCH name the programs.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
AS_OF = "2026-11-24"
# name of a key, and the roles that it holds
KEYS = [("root", "root"), ("owner", "owner"), ("builder", "builder"), ("legal-1", "legal"), ("legal-2", "legal"),
        ("trainer", "trainer"), ("merger", "merger"), ("withdrawals", "withdrawals"), ("head", "head"),
        ("operator", "operator")]
POLICIES = ["build", "train", "research", "commercial"]
PROMPT = "The function returns"


class Demo:
    def __init__(self, out, inputs):
        self.out, self.inputs = os.path.abspath(out), os.path.abspath(inputs)
        self.flexmix = os.environ.get("FLEXMIX", "flexmix")
        self.corpus = os.path.join(self.out, "corpus")
        self.records = os.path.join(self.corpus, "records")
        self.trust = os.path.join(self.out, "trust.toml")
        self.sequence = 0
        self.started = time.monotonic()

    def path(self, *parts):
        return os.path.join(self.out, *parts)

    def key(self, name):
        return self.path("keys", name + ".key")

    def policy(self, name):
        return self.path("policies", name + ".toml")

    def say(self, text):
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        print(f"\n[{minutes:02}:{seconds:02}] {text}", flush=True)

    def run(self, *arguments, accept=(0,)):
        """Runs flexmix, with what it prints going to the terminal."""
        done = subprocess.run([self.flexmix, *arguments])
        if done.returncode not in accept:
            sys.exit(f"demo: `flexmix {' '.join(arguments)}` ended with exit code {done.returncode}")
        return done.returncode

    def ask(self, *arguments, accept=(0,)):
        """Runs flexmix and reads the JSON that it answers."""
        done = subprocess.run([self.flexmix, *arguments, "--format", "json"], stdout=subprocess.PIPE, text=True)
        if done.returncode not in accept:
            sys.exit(f"demo: `flexmix {' '.join(arguments)}` ended with exit code {done.returncode}")
        return json.loads(done.stdout)

    def gate(self):
        return ["--trust", self.trust, "--records", self.records, "--as-of", AS_OF]

    # -- steps ---------------------------------------------------------------------------------------------------

    def prepare(self):
        marker = os.path.join(self.out, ".flexmix-demo")
        if os.path.exists(self.out):
            if os.listdir(self.out) and not os.path.exists(marker):
                sys.exit(f"demo: {self.out} is not empty and not a former demo; name another folder")
            shutil.rmtree(self.out)
        os.makedirs(self.records)
        open(marker, "w").close()
        self.say("packages of real text (fetched once, then read from the cache)")
        fetch = [sys.executable, os.path.join(HERE, "fetch.py"), "--into", self.inputs]
        if subprocess.run(fetch).returncode != 0:
            sys.exit("demo: the packages could not be fetched; see above")

    def sign_for_legal(self, kind, path):
        for name in ("legal-1", "legal-2"):
            self.run("sign", kind, path, "--key", self.key(name))

    def write(self, path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)
        return path

    def found_trust(self):
        self.say("throw-away keys for every role, a signed trust file, policies signed by two legal keys")
        os.makedirs(self.path("keys"))
        init = ["trust", "init", "--out", self.trust, "--root", self.path("keys", "root.pub"), "--demo",
                "--from", "2026-11-01", "--until", "2027-12-31"]
        for name, role in KEYS:
            self.run("keys", "generate", "--out", self.path("keys", name))
            if role != "root":
                init += ["--key", f"{name}={role}:{self.path('keys', name + '.pub')}"]
        self.run(*init)
        self.run("sign", "trust", self.trust, "--key", self.key("root"))
        os.makedirs(self.path("policies"))
        os.makedirs(os.path.join(self.records, "policies"))
        for name in POLICIES:
            shutil.copy(os.path.join(HERE, "policies", name + ".toml"), self.policy(name))
            self.sign_for_legal("policy", self.policy(name))
            for suffix in ("", ".dsse.json"):
                shutil.copy(self.policy(name) + suffix, os.path.join(self.records, "policies"))
        for suffix in ("", ".dsse.json"):
            shutil.copy(self.trust + suffix, self.records)

    def sign_records(self):
        for name in sorted(os.listdir(os.path.join(HERE, "elections"))):
            with open(os.path.join(HERE, "elections", name)) as draft:
                path = self.write(os.path.join(self.records, "elections", name), draft.read())
            self.sign_for_legal("election", path)
        self.grant("list-threads", 'source = "list-threads"', ["build", "train"], contract=True)
        self.renew_head()

    def grant(self, name, subject, acts, contract=False):
        acts = ", ".join(f'"{act}"' for act in acts)
        text = (f'schema = "flexmix/grant/v1"\nid = "DEMO-{name}"\ndemo = true\nsubject = {{ {subject} }}\n'
                f'owner = "owner@demo.invalid"\nacts = [{acts}]\npurposes = ["*"]\nplaces = ["*"]\n'
                f'from = 2026-11-01\nuntil = 2027-12-31\n')
        if contract:
            text += ('contract = "DEMO-2026-01"\n\n[[terms]]\nid = "LicenseRef-DEMO-list-archive"\n'
                     'properties = ["notice"]\n')
        path = self.write(os.path.join(self.records, "grants", name + ".toml"), text)
        self.run("sign", "grant", path, "--key", self.key("owner"))

    def renew_head(self):
        """Signs a head over everything in the records folder, one number higher than the last."""
        self.sequence += 1
        text = (f'schema = "flexmix/head/v1"\ndemo = true\nsequence = {self.sequence}\n'
                f'issued = {AS_OF}\nexpires = 2027-12-31\n')
        self.run("sign", "head", self.write(self.path("head.toml"), text), "--records", self.records,
                 "--key", self.key("head"))

    def build(self, threads):
        self.say("build: read, conclude, admit, tokenize, shard, sign")
        recipe = self.path("recipe.toml")
        shutil.copy(os.path.join(HERE, "recipe.toml"), recipe)
        secret = self.path("keys", "owner.secret")
        with open(secret, "wb") as out:
            out.write(os.urandom(32))
        self.run("build", recipe, "--out", self.corpus, "--key", self.key("builder"), "--inputs", self.inputs,
                 "--secret", secret, "--threads", str(threads), *self.gate())
        self.say("verify the corpus")
        self.run("verify", self.corpus, "--trust", self.trust, "--as-of", AS_OF)

    def plan(self):
        self.say("plan: one expert for each set and terms tier, three of them in this demo")
        plan = os.path.join(self.corpus, "train", "plan.toml")
        policies = [part for name in ("train", "research", "commercial") for part in ("--policy", self.policy(name))]
        self.run("train", "plan", self.corpus, *policies, "--out", plan, "--max-experts", "3",
                 "--sizes", os.path.join(HERE, "sizes.toml"), *self.gate())
        return plan

    def train(self, plan):
        self.say("train: the anchor on public text, then each expert against the frozen anchor")
        code = 75
        while code == 75:
            code = self.run("train", "launch", plan, "--", "--policy", self.policy("train"), "--key",
                            self.key("trainer"), *self.gate(), accept=(0, 75))
        return self.ask("query", self.corpus, "SELECT id, subject, folder, files_root FROM stamps ORDER BY id")

    def merge(self, stamps):
        self.say("grants for the weights, a new head, and the merge: folders side by side, no training")
        for row in stamps:
            self.grant("weights-" + row["id"], f'weights = "{row["files_root"]}"', ["serve"])
        self.renew_head()
        model = os.path.join(self.corpus, "models", "demo")
        experts = [part for row in stamps if row["subject"] == "expert"
                   for part in ("--expert", os.path.join(self.corpus, row["folder"]))]
        anchor = next(row["folder"] for row in stamps if row["subject"] == "anchor")
        self.run("merge", "--anchor", os.path.join(self.corpus, anchor), *experts, "--out", model,
                 "--trust", self.trust, "--as-of", AS_OF, "--key", self.key("merger"))
        return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--inputs", required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    demo = Demo(options.out, options.inputs)
    demo.prepare()
    demo.found_trust()
    demo.sign_records()
    demo.build(options.threads)
    plan = demo.plan()
    stamps = demo.train(plan)
    model = demo.merge(stamps)


if __name__ == "__main__":
    main()
