"""The VoiceBank+DEMAND corpus: where its folders lie, and the list of noises and SNRs that comes with it.

Valentini-Botinhao, Noisy speech database for training speech enhancement algorithms and TTS models, 2017,
https://doi.org/10.7488/ds/2117: `noisy_testset_wav`, `clean_testset_wav`, `testset_txt` and `log_testset.txt`
(or `logfiles/log_testset.txt`), whose lines are `p232_001 bus 17.5`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cmkt.errors import DataError

CORPUS = "VoiceBank+DEMAND"
_NOISY = re.compile(r"noisy_(.+)_wav")


@dataclass(frozen=True, slots=True)
class Part:
    """The folders of one part of the corpus; texts and log are None where they are not there."""

    noisy: Path
    clean: Path
    texts: Path | None
    log: Path | None

    @classmethod
    def below(cls, root: Path, name: str) -> Self:
        """The part of a root that is called `testset`, `trainset_28spk` or `trainset_56spk`."""
        texts = root / f"{name}_txt"
        logs = [place / f"log_{name}.txt" for place in (root, root / "logfiles")]
        return cls(
            noisy=root / f"noisy_{name}_wav",
            clean=root / f"clean_{name}_wav",
            texts=texts if texts.is_dir() else None,
            log=next((log for log in logs if log.is_file()), None),
        )


@dataclass(frozen=True, slots=True)
class Logged:
    """What the log says of one file: the noise, and the SNR in dB."""

    noise: str
    snr_db: float


def part_names(root: Path) -> list[str]:
    """The parts of which a root has both the noisy and the clean folder, sorted."""
    children = root.iterdir() if root.is_dir() else ()
    names = [found[1] for child in children if (found := _NOISY.fullmatch(child.name)) and child.is_dir()]
    return sorted(name for name in names if (root / f"clean_{name}_wav").is_dir())


def find_part(root: Path) -> Part:
    """The test set of a root; a root without it must have one part only.

    Raises DataError where there is no such part, or there are several and none is the test set.
    """
    names = part_names(root)
    if "testset" not in names and len(names) != 1:
        has = f"has {', '.join(names)}; name their folders yourself" if names else "has no such pair of folders"
        raise DataError(f"{root} must hold noisy_testset_wav and clean_testset_wav, but {has}.")
    return Part.below(root, "testset" if "testset" in names else names[0])


def read_log(path: Path) -> dict[str, Logged]:
    """Noise and SNR by the name of the file without its suffix.

    Raises DataError, naming the line, where one is not `NAME NOISE SNR`, or names a file twice.
    """
    logged: dict[str, Logged] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} must be a readable list in UTF-8, but is not: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        fields = line.split()
        try:
            name, noise, snr_db = fields[0], fields[1], float(fields[2])
        except (IndexError, ValueError) as error:
            raise DataError(f"{path}, line {number} must be `NAME NOISE SNR`, but is {line!r} instead.") from error
        if not math.isfinite(snr_db) or len(fields) > 3:
            raise DataError(f"{path}, line {number} must be `NAME NOISE SNR`, but is {line!r} instead.")
        if name in logged:
            raise DataError(f"{path}, line {number} must name a file that was not named before, but is {name} again.")
        logged[name] = Logged(noise, snr_db)
    return logged


def speaker(stem: str) -> str | None:
    """The speaker in a file name such as `p232_001`, None where it has another form."""
    found = re.fullmatch(r"([ps]\d+)_\d+", stem)
    return found[1] if found else None
