"""Words heard by any speech recogniser of the transformers library: CTC models, Whisper, and others."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from cmkt.device import check_device
from cmkt.errors import TranscriberError
from cmkt.extras import import_extra
from cmkt.text.audible import audible
from cmkt.text.pretrained import fingerprint, quiet_library
from cmkt.types import Heard

if TYPE_CHECKING:
    from cmkt.types import FloatArray

TASK: Final = "automatic-speech-recognition"
RECOGNITION_VERSION: Final = 1
"""Part of the identity: raise it whenever this file makes other text of the same audio."""
WHISPER_SECONDS: Final = 30.0
"""Whisper reads as much at once; longer audio needs its timestamps."""


@final
class HuggingFaceTranscriber:
    """A recogniser as transformers' pipeline runs it, with the model's own settings and without sampling.

    name: a folder (read without any network) or a name on the hub. device: cpu, cuda, cuda:1, ...

    Raises: MissingExtraError where transformers is not installed; TranscriberError where the model cannot be loaded or
    is no recogniser; ConfigError for a device that does not exist.
    """

    def __init__(self, name: str, *, device: str = "cpu") -> None:
        self.name = name
        transformers = import_extra("transformers", "train")
        where = check_device(device)
        with quiet_library():
            self._pipeline = _load(transformers, name, where)
        self._sample_rate = int(self._pipeline.feature_extractor.sampling_rate)

    @cached_property
    def identity(self) -> str:
        """The library's version, and a digest of weights, tokenizer, features and settings. A moved folder keeps it."""
        model, generation = self._pipeline.model, getattr(self._pipeline.model, "generation_config", None)
        parts = (
            fingerprint(self._pipeline.tokenizer, model),
            json.dumps(self._pipeline.feature_extractor.to_dict(), sort_keys=True, default=str),
            "" if generation is None else generation.to_json_string(),
        )
        digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
        return f"transformers {version('transformers')} {model.config.model_type} {digest} {RECOGNITION_VERSION}"

    @property
    def languages(self) -> None:
        """Models do not say."""
        return None

    def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
        """What it hears in audio (T,), without a confidence.

        A CTC model takes an utterance rather than an hour, as memory grows with its length; Whisper takes any length.

        Raises: AudioError where the audio is not (T,) and finite; TranscriberError where the model cannot take it.
        """
        samples = audible(audio, sample_rate=sample_rate, at=self._sample_rate)
        if samples is None:
            return Heard("")
        long = self._pipeline.type == "seq2seq_whisper" and samples.size > WHISPER_SECONDS * self._sample_rate
        options: dict[str, Any] = {"return_timestamps": True} if long else {}
        try:
            with quiet_library():
                found = self._pipeline({"raw": samples, "sampling_rate": self._sample_rate}, **options)
        except (RuntimeError, ValueError) as error:
            seconds = samples.size / self._sample_rate
            raise TranscriberError(f"the recogniser {self.name!r} cannot take {seconds:.2f} s: {error}") from error
        return Heard(str(found["text"]).strip())


def _load(transformers: Any, name: str, device: Any) -> Any:
    from safetensors import SafetensorError

    where = _source(name)
    options: dict[str, Any] = {"local_files_only": os.path.isdir(where)}
    try:
        config = transformers.AutoConfig.from_pretrained(where, **options)
        model, report = _model_class(transformers, name, config).from_pretrained(
            where, output_loading_info=True, **options
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, **options)
        features = transformers.AutoFeatureExtractor.from_pretrained(where, **options)
    except TranscriberError:
        raise
    except (OSError, ValueError, RuntimeError, ImportError, KeyError, SafetensorError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise TranscriberError(
            f"the recogniser {name!r} cannot be loaded: {reason} Check the spelling; without a network give a folder "
            "that holds the model, its tokenizer and its feature extractor, as save_pretrained writes them."
        ) from error
    if missing := sorted(report["missing_keys"]):
        raise TranscriberError(
            f"the weights of the recogniser {name!r} must be complete, but {len(missing)} tensors are missing "
            f"({', '.join(missing[:3])}, ...) and would be random."
        )
    return transformers.pipeline(
        TASK, model=model.eval(), tokenizer=tokenizer, feature_extractor=features, device=device
    )


def _source(name: str) -> str:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return str(folder)
    if name.startswith((".", "~", os.sep)) or name.count("/") > 1:
        raise TranscriberError(f"the recogniser must be a folder with a speech recogniser, but {name!r} is no folder.")
    return name


def _model_class(transformers: Any, name: str, config: Any) -> Any:
    """The class that the model was saved with, if it recognises speech: another would have a head of random weights."""
    from transformers.pipelines import SUPPORTED_TASKS

    tasks: Any = SUPPORTED_TASKS
    recognisers = {each for auto in tasks[TASK]["pt"] for each in auto._model_mapping._model_mapping.values()}
    architecture = str(next(iter(getattr(config, "architectures", None) or ()), None))
    if architecture not in recognisers:
        raise TranscriberError(
            f"the recogniser {name!r} must be a model that recognises speech, such as Wav2Vec2ForCTC, but was saved as "
            f"{architecture}."
        )
    return getattr(transformers, architecture)
