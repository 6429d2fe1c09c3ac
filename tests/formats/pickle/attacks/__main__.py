"""Writes and loads hostile pickles, as many as one likes, and says which did harm.

    python -m tests.formats.pickle.attacks [--seconds 600 | --programs 4000] [--seed 1] [--few] [--written]

The last line printed is JSON: how many, how they ended, and the harm. Exit status 1 when there is any, and when a check
that is switched off for the proof is not missed.
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import hashlib
import json
import os
import pickletools
import sys
import tempfile
import time
import warnings
from typing import Any

from tests.formats.pickle.attacks.corpus import Corpus, ordinary
from tests.formats.pickle.attacks.frames import Frames
from tests.formats.pickle.attacks.harm import Canaries
from tests.formats.pickle.attacks.programs import Programs
from tests.formats.pickle.attacks.prove import prove
from tests.formats.pickle.attacks.runner import Harm, Runner, ready, reduced, say

_DIGESTED = 200
"""Programs of a seed that its digest is of."""


def main(arguments: list[str]) -> int:
    """Run; return the exit status."""
    options = _options(arguments)
    warnings.simplefilter("ignore")
    os.environ["OMP_NUM_THREADS"] = "1"  # the threads of a parent are not in its children, which wait for them
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        corpus = Corpus(ordinary(all_models=not options.few).values())
        written = digest(options.seed, corpus)
        if options.written:
            os.chdir("/")
            print(json.dumps({"written": written}))
            return 0
        canaries = Canaries()
        only = [(module, name) for module, _, name in (each.partition(":") for each in options.only)]
        programs = Programs(options.seed, corpus, canaries.address, canaries.size, only)
        runner = ready(programs.program, list(corpus.objects.values()), canaries, corpus.pickles)
        begun = time.monotonic()
        harms, number = _attacked(runner, options)
        outcomes, slow = dict(runner.outcomes), list(runner.slow)
        proofs = prove(runner, lambda name: Programs(options.seed, corpus, canaries.address, canaries.size, [name]))
        frames = Frames(options.seed, corpus.pickles).compare(options.frames or number)
        os.chdir("/")
    result = {
        "seed": options.seed,
        "written": written,
        "programs": number,
        "seconds": round(time.monotonic() - begun, 1),
        "outcomes": outcomes,
        "slow": slow,
        "harms": [_told(harm) for harm in harms],
        "frames": frames,
        "proofs": proofs,
    }
    print(json.dumps(result))
    return bool(harms or frames["harms"] or not all(proofs.values()))


def digest(seed: int, corpus: Corpus) -> str:
    """Return what tells the first programs of a seed from others."""
    programs, frames = Programs(seed, corpus, address=1 << 40, size=64), Frames(seed, corpus.pickles)
    data = [programs.program(number) + frames.program(number) for number in range(_DIGESTED)]
    return hashlib.sha256(b"".join([*corpus.pickles, *data])).hexdigest()


def _options(arguments: list[str]) -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.formats.pickle.attacks")
    parser.add_argument("--programs", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--frames", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--few", action="store_true", help="few models: ready 10 seconds sooner")
    parser.add_argument("--written", action="store_true", help="load none: only say by a digest what is written")
    parser.add_argument("--only", action="append", default=[], metavar="MODULE:NAME", help="attack only this name")
    return parser.parse_args(arguments)


def _attacked(runner: Runner, options: Any) -> tuple[list[Harm], int]:
    begun = time.monotonic()
    number, harms, known = options.first, [], set()
    while number < options.programs + options.first or time.monotonic() - begun < options.seconds:
        step = min(1000, options.programs + options.first - number) if not options.seconds else 1000
        for harm in runner.run(number, number + step):
            say(f"{harm.kind} by program {harm.number}: {harm.text[:100]!r}")
            harm = dataclasses.replace(harm, data=reduced(runner, harm))
            if _alike(harm) not in known:
                known.add(_alike(harm))
                harms.append(harm)
                say(_shown(harm))
        number += step
        if options.seconds:
            say(f"{number:,} programs, {len(harms)} did harm, {dict(runner.outcomes)}")
    return harms, number - options.first


def _alike(harm: Harm) -> tuple[Any, ...]:
    names = tuple(
        argument for opcode, argument, _ in _opcodes(harm.data) if "UNICODE" in opcode.name or opcode.name == "GLOBAL"
    )
    return harm.kind, harm.stage, names


def _opcodes(data: bytes) -> list[Any]:
    try:
        return list(pickletools.genops(data))
    except ValueError:
        return []


def _shown(harm: Harm) -> str:
    lines = [f"---- program {harm.number}: {harm.kind} while in {harm.stage}: {harm.text}", f"{harm.data!r}"]
    return "\n".join([*lines, *(f"    {opcode.name} {argument!r:.200}" for opcode, argument, _ in _opcodes(harm.data))])


def _told(harm: Harm) -> dict[str, Any]:
    return dataclasses.asdict(harm) | {"data": base64.b64encode(harm.data).decode()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
