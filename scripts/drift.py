#!/usr/bin/env python3
"""Show that a long run gets neither slower nor larger: generate a million tokens in one process, then compare its speed and
memory near the beginning (after JIT warm-up) with those at the end.

    scripts/drift.py [--tokens N] [options of xlstm generate]

Fails if the run fails, for example at a logit that is not finite.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

PARTS = 20  # of the run; the first is warm-up, the second is compared with the last


def resident(process):
    """Resident memory of the process in MB."""
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmRSS:"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    arguments, options = parser.parse_known_args()
    launcher = Path(__file__).resolve().parent / "xlstm"
    command = [launcher, "generate", "--prompt-ids", "1", "--ignore-eos", "--seed", "1", "--jsonl", "--quiet"]
    marks = [1 + (arguments.tokens - 1) * i // PARTS for i in range(PARTS + 1)]
    seen = []  # seconds and megabytes at each mark
    tokens = 0
    with subprocess.Popen([*command, "-n", str(arguments.tokens), *options], stdout=subprocess.PIPE) as process:
        while piece := os.read(process.stdout.fileno(), 1 << 16):
            tokens += piece.count(b"\n")  # one event per line
            while len(seen) < len(marks) and tokens >= marks[len(seen)]:
                seen.append((time.monotonic(), resident(process)))
    if process.returncode or len(seen) < len(marks):
        sys.exit(f"the run ended early, after {tokens} tokens")
    rates = [(marks[i + 1] - marks[i]) / (seen[i + 1][0] - seen[i][0]) for i in range(PARTS)]
    for i in range(PARTS):
        print(f"to {marks[i + 1]:9,d} tokens: {rates[i]:9,.0f} tokens/s, {seen[i + 1][1]:6.1f} MB")
    print(f"last to second: {rates[-1] / rates[1]:.3f} of the speed, {seen[-1][1] / seen[2][1]:.3f} of the memory")


if __name__ == "__main__":
    main()
