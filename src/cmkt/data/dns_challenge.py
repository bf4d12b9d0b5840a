"""Test sets of the DNS Challenge: what their file names say, and where their folders lie.

Reddy et al., The INTERSPEECH 2020 Deep Noise Suppression Challenge, 2020; https://github.com/microsoft/DNS-Challenge.
`noisy/clnsp1_train_69005_1_snr15_tl-21_fileid_158.wav` belongs to `clean/clean_fileid_158.wav`; the synthetic test set
has the folders `no_reverb` and `with_reverb`, each with `noisy` and `clean`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CONDITIONS = ("no_reverb", "with_reverb")
_FILE_ID = re.compile(r"(?:^|_)fileid_?(\d+)$")
_SNR = re.compile(r"(?:^|_)snr(-?\d+(?:\.\d+)?)(?=_)")
_LEVEL = re.compile(r"(?:^|_)tl(-?\d+(?:\.\d+)?)(?=_)")


@dataclass(frozen=True, slots=True)
class MixtureName:
    """What a name says: the number that noisy and clean share, the SNR in dB, the level of the mixture in dBFS."""

    file_id: int
    snr_db: float | None
    level_db: float | None


def parse_name(stem: str) -> MixtureName | None:
    """What the name of a file without its suffix says; None for a name without a file id at its end.

    >>> parse_name("clnsp1_train_69005_1_snr15_tl-21_fileid_158")
    MixtureName(file_id=158, snr_db=15.0, level_db=-21.0)
    """
    found = _FILE_ID.search(stem)
    if found is None:
        return None
    snr, level = _SNR.search(stem), _LEVEL.search(stem)
    return MixtureName(int(found[1]), float(snr[1]) if snr else None, float(level[1]) if level else None)


def pair_folders_below(root: Path) -> list[tuple[str, Path, Path]]:
    """`(condition, noisy, clean)`: the folders `noisy` and `clean` of a root, or of each condition in it; may be none.

    The condition is "" for a root that holds them itself.
    """
    places = [("", root), *((name, root / name) for name in CONDITIONS)]
    found = [(name, place / "noisy", place / "clean") for name, place in places]
    found = [(name, noisy, clean) for name, noisy, clean in found if noisy.is_dir() and clean.is_dir()]
    return found[:1] if found and found[0][0] == "" else found
