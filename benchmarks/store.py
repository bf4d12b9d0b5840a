"""What the embedding store holds and how fast it is: bytes per token, writes, random reads, and the time to open it.

Two stores: entries of real size (15 tokens of width 384, as MiniLM makes of a sentence) and many small ones (2 tokens
of width 16). Each rate stands beside a baseline of the same run: writes beside the same bytes appended to one file,
reads beside the same bytes in a dict in memory, decoded. Entries are read in random order, one a call, and 16 a call as
a training step reads a batch, from one process and from several at once. The file is in the page cache, as after a
write. `open` is from nothing to the first vectors.

Run: OMP_NUM_THREADS=1 python benchmarks/store.py FOLDER [--entries N] [--small N] [--bits 16 8] [--processes 1 2]
FOLDER: on the disk in question; 100,000 entries of real size take 1.3 GB there while they are measured.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from cmkt.text.environment import close
from cmkt.text.record import coding_error, decode_vectors, encode_vectors
from cmkt.text.store import StoredTeacher, StoreReader
from cmkt.text.store_writer import StoreWriter

READS = 20_000
BATCH = 16
KINDS = 512
"""So many different vectors are written again and again: making them must not be what is measured."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--entries", type=int, default=100_000, help="of real size (100,000)")
    parser.add_argument("--small", type=int, default=1_000_000, help="small entries (1,000,000)")
    parser.add_argument("--bits", type=int, nargs="+", default=[16, 8])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(
        "| store | bytes/token | cosine error | writes/s (of a plain file) | "
        + _reads(args.processes)
        + "| open (ms) |"
    )
    print("|---|---|---|---|" + "---|" * (len(args.processes) + 1) + "---|", flush=True)
    for entries, tokens, width in ((args.entries, 15, 384), (args.small, 2, 16)):
        for bits in args.bits:
            store = args.folder / f"{entries}-{bits}"
            print(row(store, entries, tokens, width, bits=bits, processes=args.processes), flush=True)
            shutil.rmtree(store)


def _reads(processes: list[int]) -> str:
    cells = [f"{BATCH} a call, {count} process{'es' if count > 1 else ''} (of a dict)" for count in processes]
    return " | ".join(["reads/s, 1 a call", *cells]) + " "


def row(store: Path, entries: int, tokens: int, width: int, *, bits: int, processes: list[int]) -> str:
    """Fills one store and measures it."""
    vectors = torch.randn(KINDS, tokens, width, generator=torch.Generator().manual_seed(0))
    plain = append(store.with_suffix(".plain"), entries, vectors, bits)
    start = time.perf_counter()
    with StoreWriter(store, identity="benchmark", width=width, bits=bits) as writer:
        for number in range(entries):
            writer.put(f"text {number}", vectors[number % KINDS])
    written = entries / (time.perf_counter() - start)
    size = StoreReader(store).file_bytes / (entries * tokens)
    error = float(coding_error(vectors.flatten(0, 1), bits=bits).mean())
    single = reads_per_second(store, entries, batch=1, seed=0)
    memory = dict_reads_per_second(vectors, bits)
    rates = [parallel_reads(store, entries, count) for count in processes]
    cells = [
        f"{entries:,} x {tokens} x {width}, {bits} bits",
        f"{size:.0f}",
        f"{error:.1e}",
        f"{written:,.0f} ({written / plain:.2f})",
        f"{single:,.0f}",
        *(f"{rate:,.0f} ({rate / memory:.2f})" for rate in rates),
        f"{1000 * opening_seconds(store):.1f}",
    ]
    return "| " + " | ".join(cells) + " |"


def append(path: Path, entries: int, vectors: Tensor, bits: int) -> float:
    """Entries a second when the same bytes are only appended to one file, flushed to the disk as often."""
    path.parent.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    with path.open("wb") as file:
        for number in range(entries):
            file.write(encode_vectors(vectors[number % KINDS], bits=bits))
            if number % 256 == 255:
                file.flush()
                os.fsync(file.fileno())
    path.unlink()
    return entries / (time.perf_counter() - start)


def reads_per_second(store: Path, entries: int, *, batch: int, seed: int) -> float:
    """Texts a second, drawn at random, `batch` a call."""
    teacher = StoredTeacher(store)
    draw = random.Random(seed)
    calls = [[f"text {draw.randrange(entries)}" for _ in range(batch)] for _ in range(READS // batch)]
    start = time.perf_counter()
    for texts in calls:
        teacher.embed(texts)
    return len(calls) * batch / (time.perf_counter() - start)


def dict_reads_per_second(vectors: Tensor, bits: int) -> float:
    """Texts a second out of a dict of the stored bytes: what decoding alone costs."""
    held = {f"text {number}": encode_vectors(vectors[number], bits=bits) for number in range(KINDS)}
    draw = random.Random(0)
    texts = [f"text {draw.randrange(KINDS)}" for _ in range(READS)]
    start = time.perf_counter()
    for text in texts:
        decode_vectors(held[text], vectors.shape[2], bits=bits)
    return READS / (time.perf_counter() - start)


def _parallel_part(store: Path, entries: int, seed: int) -> float:
    torch.set_num_threads(1)
    return reads_per_second(store, entries, batch=BATCH, seed=seed)


def parallel_reads(store: Path, entries: int, processes: int) -> float:
    """Texts a second of all processes together."""
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork")) as pool:
        list(pool.map(_parallel_part, [store] * processes, [1000] * processes, range(processes)))  # they have started
        return sum(pool.map(_parallel_part, [store] * processes, [entries] * processes, range(processes)))


def opening_seconds(store: Path) -> float:
    """From nothing to the first vectors, the median of nine."""
    times = []
    for _ in range(9):
        close(store.resolve())
        start = time.perf_counter()
        StoredTeacher(store).embed(["text 0"])
        times.append(time.perf_counter() - start)
    return sorted(times)[4]


if __name__ == "__main__":
    main()
