"""`cmkt stream`: raw samples on standard input, enhanced ones on standard output, each block at once.

    arecord -t raw -f S16_LE -r 16000 | cmkt stream --model RUN --sample-rate 16000 | aplay -t raw -f S16_LE -r 16000
    ffmpeg -i talk.mp4 -f s16le -ac 1 -ar 48000 - | cmkt stream --model RUN --sample-rate 48000 > out.raw

As many samples come out as go in. A causal model answers frame by frame; any other works in windows (--window-seconds),
and the delay is as long as they are. Ctrl-C ends the input: what is still owed is written, as at its usual end.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from cmkt.audio.check import check_rate
from cmkt.audio.pcm import FORMATS, PcmDecoder
from cmkt.cli.once import warnings_once
from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from cmkt.inference.pipe import TimedStream
    from cmkt.inference.stream import Stream, Streaming

SUMMARY = "enhance raw audio from standard input to standard output, as it comes"

_WARM_UP_SECONDS = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `cmkt stream`."""
    parser.add_argument(
        "--model",
        default="default",
        help="run directory, folder with model.json, .safetensors or .onnx (default: %(default)s)",
    )
    parser.add_argument("--sample-rate", type=int, required=True, metavar="R", help="rate of the samples in Hz")
    parser.add_argument(
        "--channels", type=int, default=1, metavar="C", help="channels, interleaved (default: %(default)s)"
    )
    parser.add_argument(
        "--format",
        choices=list(FORMATS),
        default="s16le",
        help="16-bit integers or 32-bit floats, little-endian, in and out (default: %(default)s)",
    )
    parser.add_argument(
        "--attenuation-limit-db",
        type=float,
        metavar="X",
        help="turn nothing down by more than X dB (default: no limit)",
    )
    parser.add_argument(
        "--window-seconds",
        type=float,
        metavar="W",
        help="length of the windows, and so the delay, of a model that needs the future (default: 4)",
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ...: run in torch there (default: the processor)")
    parser.add_argument(
        "--allow-foreign", action="store_true", help="load a model class from outside cmkt, which runs its code"
    )


def run(args: argparse.Namespace) -> int:
    """Exit code: 0 at the end of the input or when nobody reads the output any more, 130 after Ctrl-C."""
    from cmkt.inference.stream import check_window, dry_gain

    check_rate(args.sample_rate)
    dry_gain(args.attenuation_limit_db)
    if args.window_seconds is not None:
        check_window(args.window_seconds)
    decoder = PcmDecoder(args.format, args.channels)
    _refuse_terminals()
    # The frames of a stream are too small for a second thread: beside a busy process, two had a real-time factor of 2.0
    # where one had 0.17.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from cmkt.inference.load import load
    from cmkt.inference.pipe import TimedStream, pump

    enhancer = load(args.model, device=args.device, allow_foreign=args.allow_foreign)
    if enhancer.causal and args.window_seconds is not None:
        raise ConfigError(
            f"`--window-seconds` must belong to a model that needs the future, but {args.model} runs frame by frame. "
            "Leave it out."
        )
    with warnings_once(), _open(enhancer, args) as stream:
        sys.stderr.write(
            f"latency {1000 * stream.latency_seconds:.1f} ms; {args.sample_rate} Hz, channels: {args.channels}, "
            f"{args.format}; the model works at {enhancer.sample_rate} Hz\n"
        )
        with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as source:
            timed = TimedStream(stream, args.sample_rate)
            interrupted = pump(timed, decoder, source, sys.stdout.buffer)
    _report(timed, decoder)
    return 130 if interrupted else 0


def _open(enhancer: Streaming, args: argparse.Namespace) -> Stream:
    """A stream of an enhancer that has computed before: the first time, libraries take long."""

    def opened() -> Stream:
        return enhancer.stream(
            sample_rate=args.sample_rate,
            channels=args.channels,
            attenuation_limit_db=args.attenuation_limit_db,
            window_seconds=args.window_seconds,
        )

    silence = PcmDecoder("s16le", args.channels).decode(
        bytes(2 * args.channels * int(_WARM_UP_SECONDS * args.sample_rate))
    )
    with opened() as trial:
        trial.feed(silence)
        trial.flush()
    return opened()


def _refuse_terminals() -> None:
    for name, stream, example in (
        ("input", sys.stdin, "arecord -t raw ... | cmkt stream ..."),
        ("output", sys.stdout, "cmkt stream ... > out.raw"),
    ):
        if stream.isatty():
            raise ConfigError(f"Standard {name} must be a pipe or a file, but is a terminal. Use: {example}")


def _report(timed: TimedStream, decoder: PcmDecoder) -> None:
    if decoder.rest:
        sys.stderr.write(f"warning: the input ended within a sample; {len(decoder.rest)} bytes were left out\n")
    factor = timed.real_time_factor
    speed = f", real-time factor {factor:.4f}" if timed.audio_seconds else ""
    slow = ": slower than real time, it cannot keep up" if factor > 1.0 else ""
    sys.stderr.write(f"{timed.audio_seconds:.2f} s of audio{speed}{slow}\n")
