"""A folder of files that some other system enhanced, as a system to evaluate on pairs of files.

A file belongs to the noisy one of the same path below its folder, or of the same name, or to the pair of that id; one
of these rules is taken for all files, and suffixes may differ. Shapes: T samples.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import numpy as np

from cmkt.audio.files import find_audio
from cmkt.audio.read import read_audio
from cmkt.data.pair_audio import TOLERANCE_SECONDS
from cmkt.errors import AudioFileError, ConfigError, DataError
from cmkt.evaluation.enhanced_headers import check_headers
from cmkt.evaluation.pair_set import file_hash
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.evaluation.held_out import HeldOutMixture
    from cmkt.evaluation.pair_set import PairSet


def _path_key(relative: Path) -> str:
    return relative.with_suffix("").as_posix()


def _name_key(relative: Path) -> str:
    return relative.stem


RULES: Final[tuple[Callable[[Path], str], ...]] = (_path_key, _name_key, _path_key)
"""What a file's path below its folder must be, for each of the `names` of a mixture."""


@final
@dataclass(frozen=True, slots=True)
class EnhancedFolder:
    """The system: `source` is the folder, `rule` the place of the rule that is taken, `weights` changes with any file.

    sample_rate: that of all of the evaluation in Hz, to which files are resampled; None where each has its own.
    """

    name: str
    source: str
    weights: str
    rule: int
    sample_rate: int | None = None

    def described(self) -> dict[str, object]:
        """As `System.described`."""
        return {"kind": "enhanced", "source": str(Path(self.source).resolve())}

    def estimate(self, mixture: HeldOutMixture) -> NDArray[np.float32]:
        """The file of a mixture, (T,), as long as the noisy speech: up to 10 ms are cut or filled with zeros.

        Raises: DataError where there is none, it is damaged, or its rate, channels or length are others.
        """
        path = _files(self.source, self.rule).get(mixture.names[self.rule])
        if path is None:
            raise DataError(f"{self.source} has no file {mixture.names[self.rule]}, of any suffix.")
        audio, rate = _mono(path)
        if self.sample_rate is not None:
            audio, rate = np.asarray(resample(audio, rate, self.sample_rate), dtype=np.float32), self.sample_rate
        if rate != mixture.sample_rate:
            raise DataError(f"{path} must have {mixture.sample_rate} Hz as the noisy speech, but has {rate} Hz.")
        return _fitted(audio, mixture.noisy.size, rate, path)


def find_enhanced(folder: Path, name: str, pairs: PairSet, *, sample_rate: int | None) -> EnhancedFolder:
    """The system of a folder, after a look at its names and at the headers of the files that are evaluated.

    A file that is missing, damaged or of another length fails when it is scored; a warning counts these now.

    Raises:
        ConfigError: it is no folder, no name fits, two files have the name of one mixture or two mixtures the name of
            one file, or a file has another sample rate or several channels.
    """
    rule = _fitting_rule(folder, pairs)
    files = _files(str(folder), rule)
    wanted = [names[rule] for names in pairs.all_names]
    if shared := [key for key, count in Counter(wanted).items() if count > 1 and key in files]:
        raise ConfigError(
            f"Each noisy file must have an enhanced one of its own, but {files[shared[0]]} has the name of "
            f"{wanted.count(shared[0])}. Arrange {folder} in the same subfolders as the noisy files."
        )
    check_headers(folder, [(pair, files.get(pairs.names(pair)[rule])) for pair in pairs.pairs], sample_rate=sample_rate)
    digest = hashlib.sha256()
    for key in sorted(set(wanted) & files.keys()):
        digest.update(key.encode() + b"\0" + file_hash(files[key]))
    return EnhancedFolder(name, str(folder), digest.hexdigest()[:16], rule, sample_rate)


def forget_files() -> None:
    """Looks at folders anew from now on."""
    _files.cache_clear()


def _fitting_rule(folder: Path, pairs: PairSet) -> int:
    """The rule that fits most noisy files, the first of those that fit as many."""
    if not folder.is_dir():
        raise ConfigError(f"`enhanced` must be a folder of audio files, but {folder} is not a folder.")
    try:
        relatives = [relative for _, relative in find_audio([folder])]
    except AudioFileError as error:
        raise ConfigError(f"`enhanced` must be a folder of audio files: {error}") from error
    names = [pairs.names(pair) for pair in pairs.pairs]
    fits = []
    for rule, key in enumerate(RULES):
        known = {key(relative) for relative in relatives}
        fits.append(sum(each[rule] in known for each in names))
    if not any(fits):
        raise ConfigError(
            f"Files of {folder} must be called as the noisy files, of any suffix, but none of {len(relatives)} is: "
            f"they are called {relatives[0]} and {pairs.pairs[0].noisy.name}, for example."
        )
    return fits.index(max(fits))


@lru_cache(maxsize=16)
def _files(folder: str, rule: int) -> Mapping[str, Path]:
    """Every file by the name that the rule gives it."""
    found: dict[str, Path] = {}
    for path, relative in find_audio([folder]):
        key = RULES[rule](relative)
        if key in found:
            raise ConfigError(
                f"Files of {folder} must have different names, but {found[key]} and {path} are both {key}. "
                "Leave one of them there."
            )
        found[key] = path
    return found


def _mono(path: Path) -> tuple[NDArray[np.float32], int]:
    try:
        audio, rate = read_audio(path)
    except AudioFileError as error:
        raise DataError(f"The enhanced file must be readable, but is not: {error}") from error
    if audio.shape[0] != 1:
        raise DataError(f"{path} must have one channel, but has {audio.shape[0]}. Write one of them.")
    if bad := int(audio.size - np.isfinite(audio).sum()):
        raise DataError(f"{path} must be finite, but {bad} of its {audio.size} samples are NaN or infinite.")
    return audio[0], rate


def _fitted(audio: NDArray[np.float32], samples: int, rate: int, path: Path) -> NDArray[np.float32]:
    apart = abs(audio.size - samples)
    if apart > TOLERANCE_SECONDS * rate:
        raise DataError(
            f"{path} must be as long as its noisy file, {samples} samples, but has {audio.size}, "
            f"{1000 * apart / rate:.0f} ms apart. Does the system delay or cut?"
        )
    return np.pad(audio[:samples], (0, max(samples - audio.size, 0)))
