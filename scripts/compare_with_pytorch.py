#!/usr/bin/env python3
"""Compare the speed of xlstm with the reference in transformers, on the same random weights, in one run.

    scripts/compare_with_pytorch.py --shape 400m --dtype float32

Prints tokens/s of both for prefill and decode, and their ratio. Needs torch, transformers 5 or later, numpy, and a built
xlstm.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from transformers import xLSTMConfig, xLSTMForCausalLM

SCRIPTS = Path(__file__).resolve().parent
FORMATS = {"float32": "f32", "bfloat16": "bf16"}


def pytorch_rates(model_dir, dtype, prompt, generate, repetitions, threads):
    """Median tokens/s of prefill and decode."""
    torch.set_num_threads(threads)
    raw = json.loads((Path(model_dir) / "config.json").read_text())
    # where hidden_size or num_hidden_layers is missing, transformers uses defaults instead of embedding_dim and num_blocks
    config = xLSTMConfig.from_pretrained(
        model_dir,
        hidden_size=raw.get("hidden_size", raw.get("embedding_dim")),
        num_hidden_layers=raw.get("num_hidden_layers", raw.get("num_blocks")),
    )
    model = xLSTMForCausalLM.from_pretrained(model_dir, config=config, dtype=getattr(torch, dtype)).eval()
    ids = torch.randint(0, model.config.vocab_size, (1, prompt), generator=torch.Generator().manual_seed(1))
    prefill, decode = [], []
    with torch.inference_mode():
        for _ in range(repetitions + 1):  # the first warms up
            start = time.perf_counter()
            out = model(ids, use_cache=True)
            prefill.append(prompt / (time.perf_counter() - start))
            cache = out.cache_params
            token = out.logits[:, -1:].argmax(-1)
            start = time.perf_counter()
            for _ in range(generate):
                out = model(token, cache_params=cache, use_cache=True)
                cache = out.cache_params
                token = out.logits[:, -1:].argmax(-1)
            decode.append(generate / (time.perf_counter() - start))
    return statistics.median(prefill[1:]), statistics.median(decode[1:])


def xlstm_rates(model_dir, prompt, generate, repetitions, threads):
    command = [str(SCRIPTS / "xlstm"), "bench", "--model", str(model_dir), "--json", "--backend", "cpu"]
    command += ["-p", str(prompt), "-n", str(generate), "--repetitions", str(repetitions), "--threads", str(threads)]
    tests = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["tests"]
    rates = {test["test"]: test["tokens_per_second"] for test in tests}
    return rates[f"pp{prompt}"], rates[f"tg{generate}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="400m", help="a shape of make_checkpoint.py")
    parser.add_argument("--dtype", choices=FORMATS, default="float32")
    parser.add_argument("--prompt-tokens", type=int, default=256)
    parser.add_argument("--generate", type=int, default=16)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    sizes = args.prompt_tokens, args.generate, args.repetitions, args.threads
    with tempfile.TemporaryDirectory() as directory:
        make = [sys.executable, str(SCRIPTS / "make_checkpoint.py"), "--shape", args.shape]
        subprocess.run([*make, "--dtype", FORMATS[args.dtype], "--out", directory], check=True)
        ours = xlstm_rates(directory, *sizes)
        theirs = pytorch_rates(directory, args.dtype, *sizes)
    print(f"| {args.shape} {args.dtype}, {args.threads} threads | xlstm tokens/s | PyTorch tokens/s | ratio |")
    print("|---|---:|---:|---:|")
    for name, mine, other in zip((f"prefill {args.prompt_tokens}", f"decode {args.generate}"), ours, theirs):
        print(f"| {name} | {mine:.2f} | {other:.2f} | {mine / other:.2f} |")


if __name__ == "__main__":
    main()
