#!/usr/bin/env python3
"""Make an xLSTM checkpoint with random weights, for benchmarks.

    scripts/make_checkpoint.py --shape 1b --dtype bf16 --out /tmp/xlstm-1b

Tensors are written in pieces, so memory stays small at any size. Needs numpy.
"""

import argparse
import json
import math
import os
import struct
import sys
from pathlib import Path

import numpy as np

# name: (hidden size, blocks, heads, vocabulary)
SHAPES = {
    "demo": (256, 6, 4, 4096),
    "400m": (1024, 24, 4, 50304),
    "1b": (2048, 24, 4, 50304),  # 1.42 billion parameters
    "7b": (4096, 32, 8, 50304),  # xLSTM-7b: 6.87 billion
}
FFN_FACTOR, FFN_MULTIPLE = 2.667, 64
PIECE = 1 << 22  # values drawn at once


def ffn_size(hidden):
    """Rounds as the reference does; this is not a plain ceiling."""
    return int(math.floor((hidden * FFN_FACTOR + FFN_MULTIPLE - 1) / FFN_MULTIPLE) * FFN_MULTIPLE)


def tensors(hidden, blocks, heads, vocab):
    """Yields (name, shape, source): source is a standard deviation, or the values themselves."""
    qk, v, ffn = hidden // 2, hidden, ffn_size(hidden)
    weight = 1 / math.sqrt(hidden)
    residual = 1 / math.sqrt(2 * blocks)  # each block adds twice to the residual stream
    yield "backbone.embeddings.weight", (vocab, hidden), 1.0
    for i in range(blocks):
        block = f"backbone.blocks.{i}."
        cell = block + "mlstm_layer."
        yield block + "norm_mlstm.weight", (hidden,), np.ones(hidden)
        yield cell + "q.weight", (qk, hidden), weight
        yield cell + "k.weight", (qk, hidden), weight
        yield cell + "v.weight", (v, hidden), weight
        yield cell + "ogate_preact.weight", (v, hidden), weight
        yield cell + "igate_preact.weight", (heads, hidden), 0.1 * weight
        yield cell + "igate_preact.bias", (heads,), np.full(heads, -10.0)
        yield cell + "fgate_preact.weight", (heads, hidden), 0.1 * weight
        yield cell + "fgate_preact.bias", (heads,), np.linspace(3.0, 6.0, heads)
        yield cell + "multihead_norm.weight", (v,), np.ones(v)
        yield cell + "out_proj.weight", (hidden, v), residual / math.sqrt(v)
        yield block + "norm_ffn.weight", (hidden,), np.ones(hidden)
        yield block + "ffn.proj_up_gate.weight", (ffn, hidden), weight
        yield block + "ffn.proj_up.weight", (ffn, hidden), weight
        yield block + "ffn.proj_down.weight", (hidden, ffn), residual / math.sqrt(ffn)
    yield "backbone.out_norm.weight", (hidden,), np.ones(hidden)
    yield "lm_head.weight", (vocab, hidden), weight


def config(hidden, blocks, heads, vocab, dtype):
    """The fields of xLSTM-7b's config.json, which has embedding_dim and num_blocks instead of the newer names."""
    return {
        "architectures": ["xLSTMForCausalLM"],
        "model_type": "xlstm",
        "embedding_dim": hidden,
        "num_blocks": blocks,
        "num_heads": heads,
        "vocab_size": vocab,
        "qk_dim_factor": 0.5,
        "v_dim_factor": 1.0,
        "ffn_proj_factor": FFN_FACTOR,
        "ffn_round_up_to_multiple_of": FFN_MULTIPLE,
        "gate_soft_cap": 15.0,
        "output_logit_soft_cap": 30.0,
        "norm_eps": 1e-06,
        "eps": 1e-06,
        "use_bias": False,
        "weight_mode": "single",
        "add_out_norm": True,
        "tie_word_embeddings": False,
        "chunk_size": 64,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 1,
        "force_bos_token_insert": True,
        "torch_dtype": {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}[dtype],
    }


def stored(values, dtype):
    """Encodes float32 values in the stored type; bf16 is rounded to nearest, ties to even."""
    if dtype == "F32":
        return values.astype("<f4").tobytes()
    if dtype == "F16":
        return values.astype("<f2").tobytes()
    bits = values.astype("<f4").view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()


def pieces(shape, source, random):
    """Yields a tensor's float32 values, at most PIECE at a time."""
    if isinstance(source, np.ndarray):
        yield source.astype(np.float32)
        return
    left = math.prod(shape)
    while left > 0:
        count = min(left, PIECE)
        yield random.standard_normal(count, dtype=np.float32) * np.float32(source)
        left -= count


def write_shard(path, shard, dtype, random):
    """Writes a safetensors file: header length, header padded to 8 bytes, tensor data. Returns the bytes of tensor data."""
    header, position = {"__metadata__": {"format": "pt"}}, 0
    for name, shape, _ in shard:
        end = position + math.prod(shape) * (4 if dtype == "F32" else 2)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [position, end]}
        position = end
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(head)) + head)
        for _, shape, source in shard:
            for piece in pieces(shape, source, random):
                out.write(stored(piece, dtype))
    return position


def split(all_tensors, shards):
    """Splits the tensors into consecutive, non-empty groups of about equal size."""
    sizes = [math.prod(shape) for _, shape, _ in all_tensors]
    groups, done = [[] for _ in range(shards)], 0
    for i, (tensor, size) in enumerate(zip(all_tensors, sizes)):
        by_size = done * shards // sum(sizes)
        groups[max(min(by_size, i), shards - len(sizes) + i)].append(tensor)
        done += size
    return [group for group in groups if group]


def shape(text):
    try:
        hidden, blocks, heads, vocab = SHAPES[text] if text in SHAPES else (int(n) for n in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not one of {', '.join(SHAPES)}, nor H,L,NH,V") from None
    if min(hidden, blocks, heads, vocab) < 1 or hidden // 2 % heads or hidden % heads:
        raise argparse.ArgumentTypeError(f"'{text}': all must be positive, and NH must divide H and H/2")
    return hidden, blocks, heads, vocab


def main():
    parser = argparse.ArgumentParser(description="Make an xLSTM checkpoint with random weights.")
    parser.add_argument("--shape", type=shape, required=True, help=f"{', '.join(SHAPES)}, or H,L,NH,V")
    parser.add_argument("--dtype", type=str.upper, choices=["F32", "F16", "BF16"], default="BF16")
    parser.add_argument("--shards", type=int, default=1, help="number of files (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="directory, created if it does not exist")
    args = parser.parse_args()

    all_tensors = list(tensors(*args.shape))
    if not 1 <= args.shards <= len(all_tensors):
        parser.error(f"--shards must be from 1 to {len(all_tensors)}")
    random = np.random.Generator(np.random.SFC64(args.seed))
    os.makedirs(args.out, exist_ok=True)
    with open(args.out / "config.json", "w", encoding="utf-8") as out:
        json.dump(config(*args.shape, args.dtype), out, indent=2)
        out.write("\n")
    groups = split(all_tensors, args.shards)
    names = ["model.safetensors"]
    if len(groups) > 1:
        names = [f"model-{k + 1:05}-of-{len(groups):05}.safetensors" for k in range(len(groups))]
    total = 0
    for name, group in zip(names, groups):
        total += write_shard(args.out / name, group, args.dtype, random)
        print(f"{args.out / name}: {len(group)} tensors", file=sys.stderr)
    if len(groups) > 1:
        index = {"metadata": {"total_size": total}}
        index["weight_map"] = {name: file for file, group in zip(names, groups) for name, _, _ in group}
        with open(args.out / "model.safetensors.index.json", "w", encoding="utf-8") as out:
            json.dump(index, out, indent=2)
            out.write("\n")
    parameters = sum(math.prod(shape) for _, shape, _ in all_tensors)
    print(f"{parameters:,} parameters, {total:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
