"""The blind floor as a function of the shift: what attention reaches on noise when its question is of another token.

Two numbers for each shift of k tokens, both L_CMA per held-out token:
  attention   the floor of `Attention(shift=Shift(tokens=k))` on Gaussian frames, as in blind_floor.py
  question    what a network of two layers makes of the question alone, z_(t-k) and its position. No bridge that reads
              frames without words can be better than the best such network, which docs/method.md derives; this one is
              trained, so that it is an estimate from above.
and, for a shift of d frames, the floor of `Attention(shift=Shift(frames=d))`. Beside them: always the mean direction.

Run: OMP_NUM_THREADS=1 python -m benchmarks.shift_floor measure TEXTS --output minilm.json [--teacher T] [--layer L]
     python -m benchmarks.shift_floor draw minilm.json ... --output docs/images/shift_floor.png
TEXTS: a file with a sentence a line, or a .jsonl whose lines have `text`, of which those in --language are taken. The
teacher may look ahead or not; which of both it does is in the title of its curves.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.blind_floor import noise_pairs, sentences, split, teacher_of
from cmkt.evaluation.pictures import new_figure, save_figure
from cmkt.text.padding import pad_tokens
from cmkt.transfer.attention import Attention
from cmkt.transfer.probe import Pair, mean_direction_floor, probe
from cmkt.transfer.shift import Shift, shift_tokens
from cmkt.transfer.time_encoding import POSITION_FEATURES, encode_position

HIDDEN, TOKENS_A_STEP, QUESTION_STEPS, LEARNING_RATE = 256, 256, 400, 2e-3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("texts", type=Path)
    measuring.add_argument("--output", type=Path, required=True)
    measuring.add_argument("--name", help="of the curves; default the teacher's identity")
    measuring.add_argument("--teacher", default="embedded")
    measuring.add_argument("--layer", type=int, default=-1)
    measuring.add_argument("--language", default="en")
    measuring.add_argument("--tokens", type=int, nargs="+", default=[0, 1, 2, 3, 5])
    measuring.add_argument("--frames", type=int, nargs="*", default=[20, 60], help="of 16 ms, beside 0")
    measuring.add_argument("--limit", type=int, default=1500)
    measuring.add_argument("--steps", type=int, default=400)
    measuring.add_argument("--seed", type=int, default=0)
    drawing = commands.add_parser("draw")
    drawing.add_argument("measured", type=Path, nargs="+")
    drawing.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    if args.command == "measure":
        args.output.write_text(json.dumps(measure(args), indent=1) + "\n", encoding="utf-8")
    else:
        draw([json.loads(path.read_text(encoding="utf-8")) for path in args.measured], args.output)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All floors of one teacher, printed as they come."""
    teacher = teacher_of(args.teacher, args.layer)
    texts = sentences(args.texts, args.limit, args.seed, args.language)
    train, held_out = split(noise_pairs(teacher, texts, seed=args.seed))
    mean = mean_direction_floor(train, held_out)
    print(
        f"{teacher.identity}; {len(train)} sentences to train on, {len(held_out)} held out; mean direction {mean:.3f}"
    )
    found: dict[str, Any] = {
        "name": args.name or teacher.identity,
        "teacher": teacher.identity,
        "causal": teacher.causal,
        "mean_direction": mean,
        "attention": {},
        "question": {},
        "frames": {},
    }
    for tokens in args.tokens:
        floor = probe(train, held_out, Attention(shift=Shift(tokens=tokens)), steps=args.steps, seed=args.seed).loss
        found["attention"][tokens] = floor
        found["question"][tokens] = question_floor(train, held_out, tokens, seed=args.seed)
        print(f"tokens {tokens}: attention {floor:.3f}, question {found['question'][tokens]:.3f}", flush=True)
    for frames in args.frames:
        floor = probe(train, held_out, Attention(shift=Shift(frames=frames)), steps=args.steps, seed=args.seed).loss
        found["frames"][frames] = floor
        print(f"frames {frames}: attention {floor:.3f}", flush=True)
    if 0 in found["attention"]:
        found["frames"] = {0: found["attention"][0], **found["frames"]}
    return found


def question_floor(train: list[Pair], held_out: list[Pair], tokens: int, *, seed: int) -> float:
    """Held-out 1 - cos of a network that sees the question of a token and nothing else."""
    (asked, targets), (held_out_asked, held_out_targets) = (questions(pairs, tokens) for pairs in (train, held_out))
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.LayerNorm(asked.shape[1]),
            nn.Linear(asked.shape[1], HIDDEN),
            nn.GELU(),
            nn.Linear(HIDDEN, targets.shape[1]),
        )
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=QUESTION_STEPS)
    for _ in range(QUESTION_STEPS):
        chosen = torch.randint(len(asked), (TOKENS_A_STEP,), generator=generator)
        optimizer.zero_grad()
        distance(network(asked[chosen]), targets[chosen]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return float(distance(network(held_out_asked), held_out_targets))


def questions(pairs: list[Pair], tokens: int) -> tuple[Tensor, Tensor]:
    """For every token with a partner, its question (D + 17) and its vector (D): those that `Shift` would count."""
    padded = pad_tokens([vectors for _, _, vectors in pairs], pairs[0][2].shape[1])
    features, _ = encode_position(padded.mask)
    asked = shift_tokens(torch.cat([padded.values, features], dim=-1), tokens)
    counted = padded.mask & shift_tokens(padded.mask, tokens)
    assert features.shape[-1] == POSITION_FEATURES
    return asked[counted], padded.values[counted]


def distance(estimate: Tensor, target: Tensor) -> Tensor:
    """Mean 1 - cos."""
    return (1 - functional.cosine_similarity(estimate, target, dim=-1)).mean()


def draw(measured: list[dict[str, Any]], path: Path) -> None:
    """Two panels: floors over the shift in tokens, and over the shift in frames."""
    figure = new_figure(9.0, 4.0)
    tokens, frames = figure.subplots(1, 2, sharey=True)
    for number, each in enumerate(measured):
        color, looks = f"C{number}", "sees no later token" if each["causal"] else "bidirectional"
        for axis, kind, style in ((tokens, "attention", "-"), (tokens, "question", "--"), (frames, "frames", "-")):
            amounts = sorted(map(int, each[kind]))
            values = [each[kind][str(amount)] for amount in amounts]
            what = "question alone" if kind == "question" else "attention on noise"
            axis.plot(amounts, values, style, marker="o", ms=4, color=color, label=f"{each['name']} ({looks}): {what}")
        for axis in (tokens, frames):
            axis.axhline(each["mean_direction"], color=color, lw=1, ls=":")
    tokens.set_xlabel("shift (tokens)")
    tokens.set_xticks(sorted({int(amount) for each in measured for amount in each["attention"]}))
    tokens.set_ylabel("blind floor: L_CMA per token on frames of noise")
    tokens.set_ylim(bottom=0)
    tokens.legend(fontsize=7, loc="lower right")
    frames.set_xlabel("shift (frames of 16 ms), no shift of tokens")
    for axis in (tokens, frames):
        axis.grid(visible=True, alpha=0.3)
    tokens.set_title("dotted: always the mean direction", fontsize=9, loc="left")
    save_figure(figure, path)


if __name__ == "__main__":
    main()
