#!/usr/bin/env python3
"""Converts a PyTorch checkpoint to safetensors, or merges a PEFT adapter with its base model.

    convert_checkpoint.py SOURCE TARGET [--base BASE]

SOURCE  a file of torch.save (.bin, .pt, .pth, .ckpt), a directory that has some, or the directory of a LoRA adapter
TARGET  a directory that does not exist yet; gets model.safetensors and the config and tokenizer files of SOURCE or BASE
BASE    for an adapter: the directory of the base model, as safetensors

Files of torch.save can carry code. They are read with PyTorch's weights-only loading, which refuses it.
Needs torch and safetensors, see requirements.txt.
"""
import argparse
import json
import math
import os
import shutil
import sys

import torch
from safetensors.torch import load_file, save_file

SUFFIXES = ('.bin', '.pt', '.pth', '.ckpt')
NOT_WEIGHTS = ('training_args', 'optimizer', 'scheduler', 'rng_state', 'scaler')
COPIED = ('.json', '.yaml', '.yml', '.jinja', '.txt', '.model')
WRAPPERS = ('state_dict', 'model_state_dict', 'model', 'module', 'net', 'weights')


def fail(message):
    sys.exit(f'convert_checkpoint.py: {message}')


def is_weights(name):
    return name.endswith(SUFFIXES) and not name.startswith(NOT_WEIGHTS)


def load(path):
    """The tensors of one file of torch.save by name."""
    try:
        loaded = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as e:  # torch raises many kinds, and advises to allow code
        fail(f'{path}: cannot be read as weights only ({type(e).__name__}): it is damaged, or holds more than tensors')
    return state_dict(path, loaded)


def state_dict(path, loaded):
    """Unwraps what trainers store around a state dict."""
    for _ in range(4):
        if not isinstance(loaded, dict):
            break
        tensors = {k: v for k, v in loaded.items() if isinstance(k, str) and isinstance(v, torch.Tensor)}
        inner = next((loaded[w] for w in WRAPPERS if isinstance(loaded.get(w), dict)), None)
        if inner is None or len(tensors) > 8:
            if tensors:
                return tensors
            break
        loaded = inner
    fail(f'{path}: holds no state dict; looked under {", ".join(WRAPPERS)}')


def weight_files(source):
    if os.path.isfile(source):
        return [source]
    names = sorted(n for n in os.listdir(source) if is_weights(n))
    sharded = [n for n in names if '-of-' in n]
    names = sharded or names
    if not names:
        fail(f'{source}: has no file that ends in {", ".join(SUFFIXES)}')
    if not sharded and len(names) > 1:
        fail(f'{source}: has several checkpoints, name one: {", ".join(names)}')
    return [os.path.join(source, n) for n in names]


def convert(source):
    tensors = {}
    for path in weight_files(source):
        for name, tensor in load(path).items():
            if name in tensors:
                fail(f'{path}: has the tensor {name} of another file, too')
            tensors[name] = tensor
    return tensors


def base_tensors(base):
    names = sorted(n for n in os.listdir(base) if n.startswith('model') and n.endswith('.safetensors'))
    if not names:
        fail(f'{base}: has no model*.safetensors; convert the base model first')
    tensors = {}
    for name in names:
        tensors.update(load_file(os.path.join(base, name)))
    return tensors


def pattern_value(patterns, module, default):
    """PEFT's rank_pattern and alpha_pattern: keys are endings of module names."""
    for key, value in (patterns or {}).items():
        if module == key or module.endswith('.' + key):
            return value
    return default


def merge(source, base):
    """W + scale * B A for each module of a LoRA adapter; modules_to_save replace the base's."""
    with open(os.path.join(source, 'adapter_config.json')) as f:
        config = json.load(f)
    if config.get('peft_type') != 'LORA' or config.get('use_dora'):
        fail(f'{source}: only plain LoRA adapters can be merged, not {config.get("peft_type")}'
             + (' with DoRA' if config.get('use_dora') else ''))
    path = os.path.join(source, 'adapter_model.safetensors')
    adapter = load_file(path) if os.path.exists(path) else load(os.path.join(source, 'adapter_model.bin'))
    tensors = base_tensors(base)
    # the names of a base may lack or have a prefix that the adapter's have
    by_ending = {}
    for name in tensors:
        parts = name.split('.')
        for i in range(len(parts)):
            by_ending.setdefault('.'.join(parts[i:]), []).append(name)

    def target(name):
        name = name.removeprefix('base_model.model.')
        parts = name.split('.')
        for i in range(len(parts)):
            found = by_ending.get('.'.join(parts[i:]), [])
            if len(found) == 1:
                return found[0]
        fail(f'{source}: {base} has no tensor {name}')

    used = set()
    for name, a in adapter.items():
        for kind, other in (('lora_A', 'lora_B'), ('lora_embedding_A', 'lora_embedding_B')):
            if f'.{kind}' not in name:
                continue
            module, rest = name.split(f'.{kind}', 1)
            b_name = f'{module}.{other}{rest}'
            if b_name not in adapter:
                fail(f'{source}: has {name}, but not {b_name}')
            used |= {name, b_name}
            module = module.removeprefix('base_model.model.')
            rank = pattern_value(config.get('rank_pattern'), module, config['r'])
            alpha = pattern_value(config.get('alpha_pattern'), module, config['lora_alpha'])
            scale = alpha / (math.sqrt(rank) if config.get('use_rslora') else rank)
            delta = adapter[b_name].float() @ a.float()
            if kind == 'lora_embedding_A' or config.get('fan_in_fan_out'):
                delta = delta.T
            weight = target(module + '.weight')
            if tensors[weight].shape != delta.shape:
                fail(f'{source}: {name} makes {tuple(delta.shape)}, but {weight} is {tuple(tensors[weight].shape)}')
            merged = tensors[weight].float() + scale * delta
            tensors[weight] = merged.to(tensors[weight].dtype)
    for name, tensor in adapter.items():
        if name in used:
            continue
        if 'lora_' in name:
            fail(f'{source}: {name} is of a kind of adapter that cannot be merged here')
        plain = name.replace('.modules_to_save.default', '').replace('.modules_to_save', '').replace('.base_layer', '')
        tensors[target(plain)] = tensor
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source')
    parser.add_argument('target')
    parser.add_argument('--base', help='the directory of the base model of an adapter')
    args = parser.parse_args()
    if not os.path.exists(args.source):
        fail(f'{args.source}: does not exist')
    if os.path.exists(args.target):
        fail(f'{args.target}: exists; name another directory')
    adapter = os.path.isdir(args.source) and os.path.exists(os.path.join(args.source, 'adapter_config.json'))
    if adapter and not args.base:
        with open(os.path.join(args.source, 'adapter_config.json')) as f:
            base = json.load(f).get('base_model_name_or_path')
        fail(f'{args.source}: is an adapter; name the directory of its base model {base} with --base')
    tensors = merge(args.source, args.base) if adapter else convert(args.source)
    partial = args.target.rstrip('/') + '.partial'
    shutil.rmtree(partial, ignore_errors=True)
    os.makedirs(partial)
    try:
        directory = args.base if adapter else args.source if os.path.isdir(args.source) else os.path.dirname(args.source) or '.'
        directories = [directory] + ([args.source] if adapter else [])  # an adapter may bring its own tokenizer
        for d in directories:
            for name in os.listdir(d):
                if name.endswith(COPIED) and not name.startswith('adapter') and not name.endswith('.index.json'):
                    shutil.copyfile(os.path.join(d, name), os.path.join(partial, name))
        # safetensors wants memory of its own for each tensor
        save_file({k: v.contiguous().clone() for k, v in tensors.items()},
                  os.path.join(partial, 'model.safetensors'), metadata={'format': 'pt'})
        os.rename(partial, args.target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    print(f'{len(tensors)} tensors written to {args.target}')


if __name__ == '__main__':
    main()
