"""Writes the golden figures of the demo model, computed by PyTorch, that the engine's tests compare with.

    python scripts/make_demo_golden.py --model test-data/demo-model --out test-data/demo-model-golden

The format is that of test-data/fixtures. golden.json and golden.safetensors hold logits, states and a greedy continuation of one
long prompt: in float32 on the exactly widened weights, step by step and in chunks, and in float64 as the reference.
golden.json also holds a few short prompts with their ids and greedy continuations.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from xlstm_reference import State, Xlstm, XlstmConfig

LOGIT_ROWS = 4  # the last rows of the prompt; all rows would make a large file
CONTINUATION = 32
SHORT_CONTINUATION = 64
LONG_PROMPT = (
    "<|endoftext|>Once upon a time, there was a little fox named Rosa. Rosa lived at the edge of a quiet wood, "
    "next to a small blue lake. Every morning she ran down to the water to look for shiny stones. She kept them "
    "all in a wooden box under her bed.\n"
    'One day, Rosa found a stone that was warm. "How strange!" she said. "Stones are never warm when the sun is '
    'not up." She held it to her ear, and she could hear a soft little song. Her friend Ben, the old turtle, came'
    ' to see what she had found. Ben looked at the stone for a long time. Then he smiled and said, "Rosa, that is'
    " not a stone at all. It is"
)
SHORT_PROMPTS = [
    "<|endoftext|>Once upon a time",
    "<|endoftext|><|user|>What is the opposite of hot?<|end|><|assistant|>",
    "<|endoftext|><|user|>Tell me a story about a cat.<|end|><|assistant|>",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    tokenizer = Tokenizer.from_file(str(args.model / "tokenizer.json"))
    single, double = load(args.model, torch.float32), load(args.model, torch.float64)

    prompt = torch.tensor(tokenizer.encode(LONG_PROMPT).ids)
    recurrent, state_recurrent = run(single, prompt, step=1)
    chunkwise, _ = run(single, prompt, step=len(prompt))
    truth, state_truth = run(double, prompt, step=1)
    ids, rows, state_after = greedy(single, recurrent[-1], state_recurrent, CONTINUATION)
    ids_truth, rows_truth, _ = greedy(double, truth[-1], state_truth, CONTINUATION)
    assert ids == ids_truth, "float32 and float64 differ: choose another prompt"

    differences = {
        "recurrent_vs_float64": largest(recurrent - truth),
        "chunkwise_vs_float64": largest(chunkwise - truth),
        "chunkwise_vs_recurrent": largest(chunkwise - recurrent),
        "continuation_vs_float64": largest(rows - rows_truth),
    }
    tensors = {
        "logits_recurrent": recurrent[-LOGIT_ROWS:],
        "logits_chunkwise": chunkwise[-LOGIT_ROWS:],
        "logits_float64": truth[-LOGIT_ROWS:],
        "continuation_logits": rows,
        **named("state_float64", state_truth),
        **named("state_after_continuation", state_after),
    }
    tensors = {name: tensor.to(torch.float32).contiguous() for name, tensor in tensors.items()}
    tensors |= {"prompt_ids": prompt, "continuation_ids": torch.tensor(ids)}
    golden = {
        "name": "demo-model",
        "reference": "scripts/xlstm_reference.py, float32 arithmetic on the up-cast bfloat16 weights",
        "prompt_ids": prompt.tolist(),
        "continuation_ids": ids,
        "continuation_note": "greedy, no stop at eos; continuation_logits[k] decides token k; row 0 = last prompt row",
        "logits_positions": [len(prompt) - LOGIT_ROWS, len(prompt)],
        "greedy_min_top1_top2_margin": margin(rows),
        "max_abs_diff": differences,
        "suggested_tolerance": {"logits_abs": 8 * max(differences.values())},
        "short_prompts": [short(text, tokenizer, single, double) for text in SHORT_PROMPTS],
    }
    args.out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, args.out / "golden.safetensors", metadata={"format": "pt"})
    (args.out / "golden.json").write_text(as_json(golden), encoding="utf-8")
    print(json.dumps({key: golden[key] for key in ("greedy_min_top1_top2_margin", "max_abs_diff")}))
    for entry in golden["short_prompts"]:
        print(entry["text"] + entry["continuation_text"], f"(margin {entry['greedy_min_top1_top2_margin']:.4f})")


def load(folder: Path, dtype: torch.dtype) -> Xlstm:
    fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = Xlstm(XlstmConfig(**{name: fields[name] for name in XlstmConfig.__dataclass_fields__}))
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.to(dtype).eval()


def run(model: Xlstm, ids: Tensor, step: int) -> tuple[Tensor, list[State]]:
    """Logits [T,vocab] of ids [T], fed `step` at a time; and the state after them."""
    states, rows = model.initial_state(1), []
    for part in ids.split(step):
        logits, states = model(part[None], states)
        rows.append(logits[0])
    return torch.cat(rows), states


def greedy(model: Xlstm, row: Tensor, states: list[State], count: int) -> tuple[list[int], Tensor, list[State]]:
    """`count` ids from the logits `row` on, the logits [count,vocab] that chose them, the state after all of them."""
    ids, rows = [], []
    for _ in range(count):
        rows.append(row)
        ids.append(int(row.argmax()))
        logits, states = model(torch.tensor([[ids[-1]]]), states)
        row = logits[0, -1]
    return ids, torch.stack(rows), states


def short(text: str, tokenizer: Tokenizer, single: Xlstm, double: Xlstm) -> dict:
    prompt = torch.tensor(tokenizer.encode(text).ids)
    logits, states = run(single, prompt, step=len(prompt))
    ids, rows, _ = greedy(single, logits[-1], states, SHORT_CONTINUATION)
    logits, states = run(double, prompt, step=1)
    assert ids == greedy(double, logits[-1], states, SHORT_CONTINUATION)[0], f"float32 and float64 part ways: {text}"
    return {
        "text": text,
        "prompt_ids": prompt.tolist(),
        "continuation_ids": ids,
        "continuation_text": tokenizer.decode(ids, skip_special_tokens=False),
        "greedy_min_top1_top2_margin": margin(rows),
    }


def named(prefix: str, states: list[State]) -> dict[str, Tensor]:
    return {
        f"{prefix}.{layer}.{part}": getattr(state, part)[0]
        for layer, state in enumerate(states)
        for part in State._fields
    }


def largest(difference: Tensor) -> float:
    return difference.abs().max().item()


def margin(rows: Tensor) -> float:
    """How far the best logit is ahead of the second, where it is least."""
    best = rows.topk(2, dim=-1).values
    return (best[:, 0] - best[:, 1]).min().item()


def as_json(golden: dict) -> str:
    """Indented, with each list of numbers on one line."""
    lists = {}

    def short_lists(value):
        if isinstance(value, dict):
            return {key: short_lists(item) for key, item in value.items()}
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return [short_lists(item) for item in value]
        if isinstance(value, list):
            lists[key := f"@{len(lists)}@"] = json.dumps(value)
            return key
        return value

    text = json.dumps(short_lists(golden), indent=1)
    for key, line in lists.items():
        text = text.replace(f'"{key}"', line)
    return text + "\n"


if __name__ == "__main__":
    main()
