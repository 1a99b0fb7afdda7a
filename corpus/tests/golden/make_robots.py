#!/usr/bin/env python3
"""Writes robots.json: decisions of Protego, Scrapy's parser of robots.txt, on files of a small grammar.

    pip install protego==0.7.0 && python3 make_robots.py

Each case is a file with the questions that Protego answered: agent, path, allowed. The files hold what RFC 9309 settles:
groups, several agents a group, groups that name one agent twice, longest match, ties, `*`, `$`, percent-encoding,
comments, blank lines, line ends, letter case, and lines of other kinds. Left out is what Protego and the RFC answer
differently: `allow` and `disallow` of one pattern written with different encodings, and lines of other kinds between
agents, which end the list of agents for Protego and not for the RFC.
"""

import json
import random
from importlib.metadata import version
from pathlib import Path

from protego import Protego

AGENTS = ["GPTBot", "CCBot", "ClaudeBot", "Google-Extended", "Bytespider", "anthropic-ai"]
SEGMENTS = ["a", "ab", "news", "img", "x.html", "x.pdf", "p%20q", "caf\u00e9", "caf%C3%A9", "%7Euser", "~user", "q?s=1"]
FIXED = [
    "",
    "User-agent: *\nDisallow:\n",
    "User-agent: *\nDisallow: /\n",
    "User-agent: GPTBot\nDisallow: /\n\nUser-agent: *\nAllow: /\n",
    "User-agent: *\nDisallow: /\nAllow: /news/\n",
    "user-agent: gptbot\nuser-agent: CCBOT\nDISALLOW: /a\n",
    "User-agent: GPTBot\nDisallow: /a\nUser-agent: CCBot\nDisallow: /news\nUser-agent: GPTBot\nDisallow: /img\n",
    "\ufeffUser-agent: *\r\nDisallow: /a # all of it\r\n\r\nSitemap: https://example.org/map.xml\r\n",
    "User-agent: *\nCrawl-delay: 10\nDisallow: /*.pdf$\nAllow: /news/*.pdf\n",
    "Disallow: /\nUser-agent: *\nAllow: /a\n",
    "User-agent: *\nAllow: /a\nDisallow: /a\n",
    "# nobody\n\n\nUser-agent : * \n Disallow : /a/ \n",
    "User-agent: GPTBot/1.2\nDisallow: /a\n",
]


def pattern(rng):
    path = "/" + "/".join(rng.choice(SEGMENTS) for _ in range(rng.randrange(0, 3)))
    kind = rng.random()
    if kind < 0.2:
        path = path + "*"
    elif kind < 0.35:
        path = "/*" + rng.choice([".pdf", ".html", "s=", "a"])
    elif kind < 0.45:
        path = path + "$"
    return path


def made_up(rng):
    lines, used = [], set()
    for _ in range(rng.randrange(1, 5)):
        agents = rng.sample(AGENTS + ["*", "*"], rng.randrange(1, 3))
        lines += [f"{rng.choice(['User-agent', 'user-agent', 'USER-AGENT'])}: {agent}" for agent in agents]
        for _ in range(rng.randrange(0, 5)):
            path = pattern(rng)
            # One pattern stands once in a file: a tie between spellings of one path is decided differently.
            plain = path.replace("%C3%A9", "\u00e9").replace("%7E", "~")
            if plain not in used:
                used.add(plain)
                lines.append(f"{rng.choice(['Allow', 'Disallow', 'Disallow'])}: {path}")
        if rng.random() < 0.3:
            lines.append(rng.choice(["", "# a comment"]))
    return "\n".join(lines) + "\n"


def main():
    rng = random.Random(9309)
    cases = []
    for text in FIXED + [made_up(rng) for _ in range(130)]:
        # Scrapy takes a byte order mark off when it decodes.
        parser = Protego.parse(text.removeprefix("\ufeff"))
        questions = []
        for _ in range(12):
            path = "/" + "/".join(rng.choice(SEGMENTS) for _ in range(rng.randrange(0, 4)))
            agent = rng.choice(AGENTS + ["SomebodyElse"])
            questions.append([agent, path, parser.can_fetch(f"https://example.org{path}", agent)])
        cases.append({"robots": text, "questions": questions})
    out = {"by": f"protego {version('protego')}", "cases": cases}
    Path(__file__).with_name("robots.json").write_text(json.dumps(out, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
