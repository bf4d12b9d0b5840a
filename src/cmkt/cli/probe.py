"""Measure how much of the transcript can be read out of an enhancer's frames.

For each run, the frames of one layer are collected on noisy mixtures, and fresh bridges are trained: on them, on frames
of other utterances of like length, and on noise with the same statistics. The held-out loss on other utterances' frames
minus that on the true ones is the linguistic gain. The bridge on true frames also chooses the transcript that was said
among 100 of utterances of like length (fewer where there are not so many): how often it is right, beside the rate of
guessing, and the share of the others that the right one beats, .5 by guessing. A single gain proves little: compare
runs, and use --references for the untrained model and for log-mel frames. Does a gain last? --checkpoints probes a run
at every checkpoint that `cmkt fit --keep_every N` kept; probe beside it what was trained further without transfer
(`cmkt fit --init RUN`), or fine-tuned on other data.
"""

from __future__ import annotations

import argparse
import copy
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cmkt.audio.files import check_output_folder
from cmkt.audio.write import write_json, write_text
from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import nn

    from cmkt.evaluation.frames import FrameSource
    from cmkt.evaluation.probe import ProbeScore, ProbeSettings
    from cmkt.transfer.alignment import AlignmentSpec
    from cmkt.transfer.retrieval import Retrieval
    from cmkt.types import Teacher

ALIGNMENTS = ("attention", "positional", "causal", "sinkhorn", "ctc")
SHIFT_TOKENS = 1

SUMMARY = "measure how much linguistic information an enhancer's frames carry"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt probe`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="`default`, run directories or .safetensors files")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="prepared folder to train bridges on")
    parser.add_argument(
        "--held-out", type=Path, nargs="+", required=True, metavar="DIR", help="prepared folders to measure on"
    )
    parser.add_argument(
        "--teacher", required=True, help="an embedding store, `embedded`, a language model; `characters` for ctc"
    )
    parser.add_argument(
        "--subtract-mean", action="store_true", help="take the direction that all vectors of the teacher share off them"
    )
    parser.add_argument("--layer", default="recurrent", help="name of the layer (recurrent)")
    parser.add_argument("--layout", default="b t c", help='axes of its output ("b t c")')
    parser.add_argument(
        "--alignment",
        choices=ALIGNMENTS,
        nargs="+",
        default=["attention"],
        help="kinds of bridges (attention); of several, each is trained on the same frames",
    )
    parser.add_argument(
        "--shift-tokens",
        type=int,
        nargs="+",
        metavar="K",
        help="the question for a token is made of the K-th before it (1); positional and ctc have none",
    )
    parser.add_argument("--snr", type=float, default=5.0, help="SNR of the mixtures in dB (5)")
    parser.add_argument("--steps", type=int, default=400, help="batches a bridge is trained for (400)")
    parser.add_argument("--seed", type=int, default=0, help="of mixtures and bridges (0)")
    parser.add_argument("--limit", type=int, metavar="N", help="so many utterances of each folder")
    parser.add_argument("--language", help="only utterances in this language, such as en")
    parser.add_argument("--references", action="store_true", help="also the untrained model and log-mel frames")
    parser.add_argument("--checkpoints", action="store_true", help="every checkpoint of each run, in order of its step")
    parser.add_argument(
        "--maps", type=int, metavar="N", help="draw the attention maps of so many held-out utterances into --output"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="write probe.json and probe.md here")
    parser.add_argument("--device", default="cpu", help="where models and bridges run (cpu)")
    parser.add_argument(
        "--allow-foreign", action="store_true", help="load model classes from outside cmkt, which runs their code"
    )


def run(args: argparse.Namespace) -> int:
    """Probes each run and prints the table."""
    from cmkt.evaluation.probe import ProbeSettings, load_sets, probe_source
    from cmkt.text.centred import centred
    from cmkt.text.teacher import resolve_teacher
    from cmkt.transfer.alignment import check_teacher

    if args.maps is not None and (args.maps < 1 or args.output is None):
        raise ConfigError("`--maps` must be 1 utterance or more, and have --output DIR where the pictures go.")
    if args.maps is not None:
        from cmkt.evaluation.pictures import new_figure

        new_figure(1.0, 1.0)  # without matplotlib this raises now, not after a bridge was trained
    if args.output is not None:
        check_output_folder(args.output)
    if args.data.resolve() in [folder.resolve() for folder in args.held_out]:
        raise ConfigError(
            f"`--held-out` must hold utterances that are not in `--data`, but both name {args.data}. "
            "A bridge remembers what it was trained on."
        )
    settings = ProbeSettings(
        data=args.data,
        held_out=tuple(args.held_out),
        snr_db=args.snr,
        limit=args.limit,
        language=args.language,
        steps=args.steps,
        seed=args.seed,
    )
    alignments = _alignments(args)
    sources = list(_sources(args))
    teacher = resolve_teacher(args.teacher, texts=_transcripts(args))
    if args.subtract_mean:
        teacher = centred(teacher, _transcripts(args))
    for alignment in alignments.values():
        check_teacher(alignment, teacher)
    rates = {source.sample_rate for source in sources}
    sets = {rate: load_sets(settings, teacher, sample_rate=rate) for rate in rates}
    scores = [
        score
        for source in sources
        for score in probe_source(
            source,
            sets[source.sample_rate],
            settings,
            alignments=alignments,
            device=args.device,
            on_bridge=_drawing(args, source, settings, teacher),
        )
    ]
    text = _table(scores)
    sys.stdout.write("\n" + text + "\n")
    if args.output is not None:
        asked = {name: _plain(value) for name, value in vars(args).items()}
        named = {name: str(alignment) for name, alignment in alignments.items()}
        used = {"alignments": named, "teacher": teacher.identity}
        _write(args.output, text, {"arguments": asked, **used, "scores": [*map(asdict, scores)]})
    return 0


def _transcripts(args: argparse.Namespace) -> list[str | None]:
    from cmkt.data.manifest import load_prepared

    said = [each for cut in load_prepared(args.data).speech for each in cut.supervisions]
    return [each.text for each in said if args.language in (None, each.language)]


def _drawing(
    args: argparse.Namespace, source: FrameSource, settings: ProbeSettings, teacher: Teacher
) -> Callable[[str, nn.Module], None] | None:
    """What draws the maps of a bridge that was trained on frames of `source`; None where no maps were asked for."""
    if args.maps is None:
        return None
    from cmkt.evaluation.maps import draw_maps, file_name
    from cmkt.evaluation.probe import load_spoken
    from cmkt.evaluation.run_bridges import that_spells
    from cmkt.evaluation.trained_bridge import TrainedBridge

    def draw(alignment: str, bridge: nn.Module) -> None:
        few = replace(settings, limit=args.maps)
        spoken = load_spoken(args.held_out[0], few, sample_rate=source.sample_rate, fewest=1)
        trained = TrainedBridge(source, that_spells(teacher), copy.deepcopy(bridge).cpu())
        draw_maps([trained], [spoken], args.output / "maps" / file_name(f"{source.name}, {alignment}"))

    return draw


def _plain(value: object) -> object:
    """An argument as JSON takes it."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def _sources(args: argparse.Namespace) -> Iterator[FrameSource]:
    """Every model is loaded and its layer checked before the first one is probed."""
    from cmkt.evaluation.checkpoints import kept_checkpoints, load_kept
    from cmkt.evaluation.frames import clean_log_mel, noisy_log_mel, tapped_model, untrained
    from cmkt.evaluation.system_names import system_names
    from cmkt.inference.load import load

    tap = {"layer": args.layer, "layout": args.layout}
    enhancers = [load(source, device=args.device, allow_foreign=args.allow_foreign) for source in args.runs]
    for path, name, enhancer in zip(args.runs, system_names(args.runs), enhancers, strict=True):
        rate = enhancer.sample_rate
        if args.checkpoints:
            for kept in kept_checkpoints(Path(path)):
                earlier = copy.deepcopy(enhancer.model)
                load_kept(earlier, kept)
                yield tapped_model(earlier, name=f"{name}, step {kept.step}", sample_rate=rate, **tap)
        else:
            yield tapped_model(enhancer.model, name=name, sample_rate=rate, **tap)
    if args.references:
        rate = enhancers[0].sample_rate
        fresh = untrained(enhancers[0].model, seed=args.seed).to(args.device)
        yield tapped_model(fresh, name=f"untrained {type(fresh).__name__}", sample_rate=rate, **tap)
        yield noisy_log_mel(rate)
        yield clean_log_mel(rate)


def _alignments(args: argparse.Namespace) -> dict[str, AlignmentSpec]:
    """Every kind of bridge that was asked for, each with every shift where it has one, by what the table calls it."""
    from cmkt.transfer.attention import Attention
    from cmkt.transfer.causal import Causal
    from cmkt.transfer.ctc import CTC
    from cmkt.transfer.positional import Positional
    from cmkt.transfer.shift import Shift
    from cmkt.transfer.sinkhorn import Sinkhorn

    without_shift: dict[str, Callable[[], AlignmentSpec]] = {"positional": Positional, "ctc": CTC}
    with_shift: dict[str, Callable[[int], AlignmentSpec]] = {
        "attention": lambda tokens: Attention(shift=Shift(tokens=tokens)),
        "causal": lambda tokens: Causal(delay=tokens),
        "sinkhorn": lambda tokens: Sinkhorn(shift=Shift(tokens=tokens)),
    }
    if args.shift_tokens is not None and not set(with_shift).intersection(args.alignment):
        raise ConfigError(
            f"`--shift-tokens` must be left out for --alignment {' '.join(args.alignment)}: no question holds a token."
        )
    found: dict[str, AlignmentSpec] = {}
    for name in args.alignment:
        if name in without_shift:
            found[name] = without_shift[name]()
            continue
        for tokens in args.shift_tokens or [SHIFT_TOKENS]:
            found[f"{name}, shift {tokens}"] = with_shift[name](tokens)
    return found


def _table(scores: Sequence[ProbeScore]) -> str:
    from cmkt.evaluation.table import markdown_table

    header = [
        "frames",
        "bridge",
        "true",
        "mismatched",
        "noise",
        "mean direction",
        "linguistic gain [95%]",
        "retrieved [95%]",
        "chance",
        "others beaten [95%]",
        "utterances",
        "tokens",
    ]
    rows = [
        [
            score.name,
            score.alignment,
            *(f"{loss:.4f}" for loss in (score.true, score.mismatched, score.noise, score.mean_direction)),
            f"{score.gain:+.4f} [{score.gain_low:+.4f}, {score.gain_high:+.4f}]",
            *_retrieval_cells(score.retrieval),
            str(score.held_out_utterances),
            str(score.held_out_tokens),
        ]
        for score in scores
    ]
    note = "Held-out L_CMA per token, lower is better; the gain is mismatched minus true, higher is more language."
    return f"{note}\n\n{markdown_table(header, rows)}\n"


def _retrieval_cells(found: Retrieval) -> list[str]:
    return [
        f"{found.rate:.3f} [{found.rate_low:.3f}, {found.rate_high:.3f}]",
        f"{found.chance:.3f}",
        f"{found.beaten:.3f} [{found.beaten_low:.3f}, {found.beaten_high:.3f}]",
    ]


def _write(output: Path, text: str, values: dict[str, Any]) -> None:
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / "probe.json", values)
    write_text(output / "probe.md", text)
