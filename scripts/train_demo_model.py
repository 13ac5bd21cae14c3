"""Trains the demo model and writes it as a Hugging Face model folder.

    pip install -r scripts/requirements.txt
    python scripts/train_demo_model.py --corpus DIR --out test-data/demo-model --compile

The learning rate schedule follows processor time, so every run ends fully annealed, however fast or busy the machine is. The
folder is rewritten whenever the loss on held-out stories improves. `OMP_WAIT_POLICY=PASSIVE` in the environment helps on a
machine with other work.
"""

import argparse
import copy
import ctypes
import json
import math
import re
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

from demo_corpus import END, END_OF_TEXT, PADDING, SPECIAL_TOKENS, DemoCorpus
from xlstm_reference import Xlstm, XlstmConfig

WINDOW = 256  # ids per row of an optimiser step
WINDOWS_IN_A_ROW = 2  # consecutive windows of one text, with the state carried over
REPORT_SECONDS = 120

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] not in ['system', 'user', 'assistant'] %}"
    "{{ raise_exception('Unknown role: ' + message['role']) }}{% endif %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with the texts listed in demo_corpus.py")
    parser.add_argument("--out", type=Path, help="folder to write the model to")
    parser.add_argument(
        "--minutes", type=float, default=60, help="processor time per thread to train for (default %(default)s)"
    )
    parser.add_argument(
        "--init", type=Path, metavar="DIR", help="continue from the weights and tokenizer of a model folder"
    )
    parser.add_argument("--first-epoch", type=int, default=0, help="number of the first epoch; seeds the order and the conversations")
    parser.add_argument("--batch", type=int, default=8, help="texts per step (default %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="use torch.compile (needs a C++ compiler)")
    parser.add_argument("--write-heldout", type=Path, metavar="FILE", help="write the held-out stories and stop")
    args = parser.parse_args()
    corpus = DemoCorpus(args.corpus)
    if args.write_heldout:
        args.write_heldout.write_text(f"\n{END_OF_TEXT}\n".join(corpus.held_out) + "\n", encoding="utf-8")
    elif args.out:
        torch.set_num_threads(args.threads)
        keep_freed_memory()
        train(corpus, args)
    else:
        parser.error("--out or --write-heldout is needed")


def keep_freed_memory() -> None:
    """Keeps glibc from returning large buffers after each use: the page faults would cost more than the arithmetic."""
    if sys.platform == "linux":
        m_trim_threshold, m_mmap_max = -1, -4
        libc = ctypes.CDLL(None)
        libc.mallopt(m_mmap_max, 0)
        libc.mallopt(m_trim_threshold, 2**31 - 1)


def train(corpus: DemoCorpus, args: argparse.Namespace) -> None:
    torch.manual_seed(args.first_epoch)
    rng = np.random.default_rng(args.first_epoch)
    config = XlstmConfig()
    if args.init:
        tokenizer = Tokenizer.from_file(str(args.init / "tokenizer.json"))
    else:
        tokenizer = train_tokenizer(corpus, config.vocab_size)
    held_out = [encode(tokenizer, text) for text in corpus.held_out]
    model = Xlstm(config, args.dropout)
    if args.init:
        model.load_state_dict(load_file(args.init / "model.safetensors"))
    average = copy.deepcopy(model).eval()  # a running mean of the weights performs better than the weights of any step
    forward = torch.compile(model) if args.compile else model
    optimizer = make_optimizer(model, args.weight_decay)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters", flush=True)

    seconds = args.minutes * 60
    start = reported = training_seconds(args.threads)
    step, epoch, seen, train_loss, best = 0, args.first_epoch, 0, 0.0, math.inf
    stream, starts = epoch_stream(corpus, tokenizer, epoch)
    while (elapsed := training_seconds(args.threads) - start) < seconds:
        if seen >= len(stream) * (epoch + 1 - args.first_epoch):
            epoch += 1
            stream, starts = epoch_stream(corpus, tokenizer, epoch)
        states = model.initial_state(args.batch)
        for window in draw_segments(stream, starts, args.batch, rng).split(WINDOW, dim=1):
            set_learning_rate(optimizer, args.learning_rate, step, elapsed / seconds)
            ids, next_ids = window.unbind(-1)  # [batch, WINDOW] each
            logits, states = forward(ids, states)
            loss = F.cross_entropy(logits.flatten(0, 1), next_ids.flatten())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            states = [state.detach() for state in states]
            step += 1
            seen += ids.numel()
            update_average(average, model, step)
            train_loss += (loss.item() - train_loss) * max(0.02, 1 / step)

        now = training_seconds(args.threads)
        if now - reported > REPORT_SECONDS or now - start >= seconds:
            reported = now
            loss = held_out_loss(average, held_out)
            print(
                f"{(now - start) / 60:.1f} min, step {step}, {seen / len(stream):.2f} epochs, "
                f"{seen / (now - start):.0f} ids/s, train {train_loss:.4f}, "
                f"held-out {loss:.4f} (perplexity {math.exp(loss):.3f})",
                flush=True,
            )
            if loss < best:
                best = loss
                export(average, tokenizer, args.out)


def training_seconds(threads: int) -> float:
    """Processor time per thread: neither a pause nor other work on the machine adds to it."""
    return time.process_time() / threads


def make_optimizer(model: Xlstm, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW, with weight decay on matrices but not on gates, norms and biases."""
    matrices, others = [], []
    for name, parameter in model.named_parameters():
        is_matrix = parameter.dim() == 2 and "igate" not in name and "fgate" not in name
        (matrices if is_matrix else others).append(parameter)
    return torch.optim.AdamW(
        [dict(params=matrices), dict(params=others, weight_decay=0.0)],
        weight_decay=weight_decay,
        betas=(0.9, 0.95),
        fused=True,
    )


def set_learning_rate(optimizer, peak: float, step: int, progress: float) -> None:
    """A hundred warm-up steps, then half a cosine to zero."""
    rate = peak * min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    for group in optimizer.param_groups:
        group["lr"] = rate


@torch.no_grad()
def update_average(average: Xlstm, model: Xlstm, step: int) -> None:
    keep = min(0.998, step / (step + 10))
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - keep)


def train_tokenizer(corpus: DemoCorpus, vocab_size: int) -> Tokenizer:
    """Byte-level BPE; the special tokens take the first ids."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    special = re.compile("|".join(map(re.escape, SPECIAL_TOKENS)))
    tokenizer.train_from_iterator((part for text in corpus.epoch(0) for part in special.split(text)), trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, text: str) -> Tensor:
    """The ids of a document, with an end-of-text id before and after."""
    bound = tokenizer.token_to_id(END_OF_TEXT)
    return torch.tensor([bound, *tokenizer.encode(text).ids, bound])


def epoch_stream(corpus: DemoCorpus, tokenizer: Tokenizer, number: int) -> tuple[np.ndarray, np.ndarray]:
    """All documents of an epoch as one sequence, an end-of-text id before each, and the start of each document."""
    bound = tokenizer.token_to_id(END_OF_TEXT)
    parts = [[bound, *encoding.ids] for encoding in tokenizer.encode_batch(corpus.epoch(number))]
    starts = np.cumsum([0] + [len(part) for part in parts[:-1]])
    return np.concatenate(parts), starts


def draw_segments(stream: np.ndarray, starts: np.ndarray, batch: int, rng: np.random.Generator) -> Tensor:
    """[batch, WINDOW * WINDOWS_IN_A_ROW, 2] pairs of id and next id; half of the rows start at a document."""
    length = WINDOW * WINDOWS_IN_A_ROW + 1
    begin = np.where(rng.random(batch) < 0.5, rng.choice(starts, batch), rng.integers(0, len(stream), batch))
    rows = torch.from_numpy(stream[(begin[:, None] + np.arange(length)) % len(stream)])
    return torch.stack((rows[:, :-1], rows[:, 1:]), dim=-1)


@torch.no_grad()
def held_out_loss(model: Xlstm, documents: list[Tensor], batch: int = 20) -> float:
    """Mean negative log-likelihood per id in nats; each document starts from an empty state."""
    total, count = 0.0, 0
    documents = sorted(documents, key=len)
    for first in range(0, len(documents), batch):
        rows = torch.nn.utils.rnn.pad_sequence(documents[first : first + batch], batch_first=True, padding_value=-1)
        logits, _ = model(rows[:, :-1].clamp(min=0), model.initial_state(len(rows)))
        targets = rows[:, 1:]
        total += F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1, reduction="sum").item()
        count += int((targets >= 0).sum())
    return total / count


def export(model: Xlstm, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes weights (bf16), configuration and tokenizer under the names and fields that transformers reads."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    bound, padding, end = (tokenizer.token_to_id(token) for token in (END_OF_TEXT, PADDING, END))
    special_ids = dict(bos_token_id=bound, eos_token_id=bound, pad_token_id=padding)
    shape = model.config
    write_json(
        folder / "config.json",
        {
            "architectures": ["xLSTMForCausalLM"],
            "model_type": "xlstm",
            "vocab_size": shape.vocab_size,
            "hidden_size": shape.hidden_size,
            "embedding_dim": shape.hidden_size,
            "num_hidden_layers": shape.num_hidden_layers,
            "num_blocks": shape.num_hidden_layers,
            "num_heads": shape.num_heads,
            "qk_dim_factor": shape.qk_dim_factor,
            "v_dim_factor": shape.v_dim_factor,
            "ffn_proj_factor": shape.ffn_proj_factor,
            "ffn_round_up_to_multiple_of": shape.ffn_round_up_to_multiple_of,
            "gate_soft_cap": shape.gate_soft_cap,
            "output_logit_soft_cap": shape.output_logit_soft_cap,
            "norm_eps": shape.norm_eps,
            "eps": shape.eps,
            "norm_reduction_force_float32": True,
            "use_bias": False,
            "weight_mode": "single",
            "add_out_norm": True,
            "tie_word_embeddings": False,
            "mode": "inference",
            "chunkwise_kernel": "chunkwise--native_autograd",
            "sequence_kernel": "native_sequence__native",
            "step_kernel": "native",
            "chunk_size": 64,
            "autocast_kernel_dtype": "bfloat16",
            "inference_state_dtype": "float32",
            "return_last_states": True,
            "use_cache": True,
            "force_bos_token_insert": True,
            **special_ids,
            "torch_dtype": "bfloat16",
        },
    )
    write_json(
        folder / "generation_config.json",
        {
            **special_ids,
            "eos_token_id": [bound, end],
            "do_sample": True,
            "temperature": 0.7,
            "top_p": 0.9,
            "max_new_tokens": 256,
        },
    )
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "add_bos_token": True,
            "add_prefix_space": False,
            "bos_token": END_OF_TEXT,
            "eos_token": END_OF_TEXT,
            "unk_token": END_OF_TEXT,
            "pad_token": PADDING,
            "clean_up_tokenization_spaces": False,
            "model_max_length": 1_000_000,
            "added_tokens_decoder": {
                str(number): {
                    "content": token,
                    "lstrip": False,
                    "normalized": False,
                    "rstrip": False,
                    "single_word": False,
                    "special": True,
                }
                for number, token in enumerate(SPECIAL_TOKENS)
            },
            "chat_template": CHAT_TEMPLATE,
        },
    )


def write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
