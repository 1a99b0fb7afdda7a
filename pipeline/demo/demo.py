#!/usr/bin/env python3
"""The main job on real text, step by step, with the two programs and throw-away keys.

    demo.py --out DIR --inputs DIR

Fetches packages of real text, builds a corpus from them, trains an anchor and three experts from its manifests, stamps
and merges them, and asks the merged model the same thing under two policies. Everything that it signs says DEMO.
$FLEXMIX and $FLEXMIX_TORCH name the programs.
"""
import argparse
import base64
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
        # What the demo signs is of no use to anybody: it remembers its own heads and leaves the user's memory alone.
        os.environ["FLEXMIX_MEMORY"] = self.path("memory")
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

    def run(self, *arguments, accept=(0,), silent=False):
        """Runs flexmix, with what it prints going to the terminal unless it is silent; errors always show."""
        done = subprocess.run([self.flexmix, *arguments], stdout=subprocess.PIPE if silent else None,
                              stderr=subprocess.PIPE if silent else None, text=True)
        if silent and done.returncode not in accept:
            sys.stderr.write(done.stderr)
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
            self.run("sign", kind, path, "--key", self.key(name), silent=True)

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
            self.run("keys", "generate", "--out", self.path("keys", name), silent=True)
            if role != "root":
                init += ["--key", f"{name}={role}:{self.path('keys', name + '.pub')}"]
        self.run(*init, silent=True)
        self.run("sign", "trust", self.trust, "--key", self.key("root"), silent=True)
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
        self.run("sign", "grant", path, "--key", self.key("owner"), silent=True)

    def renew_head(self):
        """Signs a head over everything in the records folder, one number higher than the last."""
        self.sequence += 1
        text = (f'schema = "flexmix/head/v1"\ndemo = true\nsequence = {self.sequence}\n'
                f'issued = {AS_OF}\nexpires = 2027-12-31\n')
        self.run("sign", "head", self.write(self.path("head.toml"), text), "--records", self.records,
                 "--key", self.key("head"), silent=True)

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
        train = os.path.dirname(plan)
        folders = [os.path.join(train, job, "model") for job in sorted(os.listdir(train))]
        return [(folder, stamp_of(folder)) for folder in folders if os.path.isdir(folder)]

    def merge(self, stamps):
        self.say("grants for the weights, a new head, and the merge: folders side by side, no training")
        for _, stamp in stamps:
            self.grant("weights-" + stamp["id"], f'weights = "{stamp["files_root"]["root"]}"', ["serve"])
        self.renew_head()
        model = os.path.join(self.corpus, "models", "demo")
        anchor = next(folder for folder, stamp in stamps if stamp["subject"] == "anchor")
        experts = [part for folder, stamp in stamps if stamp["subject"] == "expert" for part in ("--expert", folder)]
        self.run("merge", "--anchor", anchor, *experts, "--out", model, "--trust", self.trust, "--as-of", AS_OF,
                 "--key", self.key("merger"))
        self.run("verify", model, "--trust", self.trust, "--as-of", AS_OF)
        return model

    def answer(self, model):
        """The same prompt and the same held-out text, under two policies."""
        results = {}
        for name in ("research", "commercial"):
            self.say(f"the same prompt and held-out text under the policy demo-{name}")
            gate = ["--policy", self.policy(name), *self.gate()]
            self.run("generate", model, "--prompt", PROMPT, "--max-tokens", "24", *gate)
            results[name] = self.ask("eval", "loss", model, self.corpus, *gate)
        report = os.path.join(self.corpus, "report", "index.html")
        os.makedirs(os.path.dirname(report), exist_ok=True)
        self.say("audit under the commercial policy")
        # "In part" is exit code 0; a plain no would be 1, and is an answer too.
        audit = ["audit", model, "--policy", self.policy("commercial"), "--html", report,
                 "--notice", os.path.join(self.corpus, "report", "NOTICE"), *self.gate()]
        self.run(*audit, accept=(0, 1))
        documents = os.path.join(self.corpus, "report", "inspect.html")
        self.run("inspect", self.corpus, "--html", documents, silent=True)
        return results, report

    def rows(self, sql):
        return self.ask("query", self.corpus, sql)["rows"]

    def summary(self, stamps, results, report):
        self.say("summary")
        total = "SELECT decision, reason, count(*) AS n FROM ledger GROUP BY decision, reason ORDER BY n DESC, reason"
        rows = self.rows(total)
        count = lambda decision: sum(r["n"] for r in rows if r["decision"] == decision)
        print(f"documents in {sum(r['n'] for r in rows)}: kept {count('kept')} for training and "
              f"{count('held-out')} for evaluation, dropped {count('dropped')}")
        for row in rows:
            if row["decision"] == "dropped":
                print(f"    {row['n']:>6}  {row['reason']}")
        print("\ntokens for training, by terms tier")
        tiers = ("SELECT tier, sum(tokens) AS tokens, sum(documents) AS documents FROM cells GROUP BY tier "
                 "ORDER BY tokens DESC")
        for row in self.rows(tiers):
            print(f"  {row['tokens']:>10}  {row['documents']:>6} documents  {row['tier']}")
        self.losses(stamps, results)
        for name, result in results.items():
            session = result["session"]
            print(f"\nunder demo-{name}: the anchor answered, with " +
                  (", ".join(e["id"] for e in session["admitted"]) or "no expert"))
            for expert in session["excluded"]:
                cause = expert["causes"][0]
                rule = f", {cause['rule']}" if cause.get("rule") else ""
                print(f"    {expert['id']} did not: {cause['reason']} [{cause['code']}] {cause['detail']}{rule}")
        print(f"\nreport for people: {os.path.relpath(report)}; what became of every document: inspect.html beside it")
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        print(f"done in {minutes} min {seconds} s")

    def losses(self, stamps, results):
        full = {row["set"]: row for row in results["research"]["sets"]}
        less = {row["set"]: row for row in results["commercial"]["sets"]}
        gone = {e["id"] for e in results["commercial"]["session"]["excluded"]}
        print("\nheld-out loss by set, nats per token (lower is better)")
        print(f"  {'set':<14}{'anchor':>8}{'all experts':>13}{'excluded ' + (', '.join(sorted(gone)) or 'none'):>24}")
        for name, row in full.items():
            print(f"  {name:<14}{row['anchor_loss']:>8.3f}{row['loss']:>13.3f}{less[name]['loss']:>24.3f}")
        public = full["public"]["loss"] - full["public"]["anchor_loss"]
        print(f"  public text with all experts: {public:+.3f} against the anchor "
              f"({'unharmed' if public <= 0.1 else 'HARMED: more than 0.1'})")
        plan = {stamp["id"]: stamp for _, stamp in stamps if stamp["subject"] == "expert"}
        for expert in sorted(plan):
            own = next(e["set"] for e in plan[expert]["exposures"] if e["kind"] == "gradient" and e["set"] != "public")
            gain = full[own]["anchor_loss"] - full[own]["loss"]
            print(f"  {expert}: its set {own} is {abs(gain):.3f} {'better' if gain > 0 else 'WORSE'} than the anchor")
            if expert in gone:
                back = less[own]["loss"] - less[own]["anchor_loss"]
                print(f"  without {expert}: {own} is {back:+.3f} from the anchor")


def stamp_of(folder):
    """The stamp's record, read with nothing of ours: DSSE, in-toto, JSON. `flexmix verify` checks the signature."""
    with open(os.path.join(folder, "stamp.dsse.json")) as file:
        return json.loads(base64.b64decode(json.load(file)["payload"]))["predicate"]


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
    results, report = demo.answer(model)
    demo.summary(stamps, results, report)


if __name__ == "__main__":
    main()
