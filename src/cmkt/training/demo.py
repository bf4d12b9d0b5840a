"""`cmkt demo` from an empty folder to a table: corpus, embeddings, both arms, evaluation, pictures, verdict.

Each step is the code of the command that does it alone (`cmkt embed`, `cmkt fit`, `cmkt evaluate`), and each keeps what
it has finished, so that a demo that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

import numpy as np

from cmkt.audio.files import check_output_folder
from cmkt.audio.write import write_json, write_text
from cmkt.data.manifest import cut_text, load_prepared
from cmkt.errors import ConfigError, MissingExtraError, extra_hint
from cmkt.evaluation.evaluate import evaluate
from cmkt.evaluation.evaluated_model import find_models
from cmkt.evaluation.plan import make_plan
from cmkt.evaluation.prepared_set import PreparedFolder
from cmkt.evaluation.record import Score
from cmkt.evaluation.score import check_installed
from cmkt.evaluation.settings import Settings
from cmkt.evaluation.systems import Noisy, System
from cmkt.metrics.registry import DEFAULT_METRICS
from cmkt.recipes.demo import DemoCorpus, prepare_demo
from cmkt.recipes.sentences import sentences
from cmkt.text.embedded import EmbeddedTeacher, embedded_folder, embedded_name
from cmkt.text.embedding import embed_texts
from cmkt.training.demo_arms import ARMS, Arm, arm_config
from cmkt.training.demo_results import CAPTION, Results, check_learnt, write_results
from cmkt.training.fit import fit
from cmkt.training.run_directory import RunDirectory

STAGES = 6
SNRS_DB = (0.0, 5.0, 10.0)
LISTENED = 3

log = logging.getLogger(__name__)


@final
@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What a demo does.

    output: a new or empty folder, or that of an earlier demo with the same settings, which is then finished.
    steps: of training, the same for both arms; seed: of corpus, weights and batches; jobs: processes of the
    evaluation, 0 for none; progress: bars of embedding and evaluation.
    """

    output: Path
    steps: int
    corpus: DemoCorpus = field(default_factory=DemoCorpus)
    seed: int = 0
    jobs: int = 1
    progress: bool = True

    def __post_init__(self) -> None:
        """Raises ConfigError for a number of steps that is not positive."""
        if self.steps < 1:
            raise ConfigError(f"`steps` must be at least 1, but is {self.steps}.")

    def run(self, arm: Arm) -> RunDirectory:
        """The folder of one arm's training run."""
        return RunDirectory(self.output / arm)

    def config_path(self, arm: Arm) -> Path:
        """The configuration of one arm, for `cmkt fit --config`."""
        return self.output / f"{arm}.yaml"

    def config(self, arm: Arm) -> str:
        """The text of that configuration, with absolute paths."""
        return self._config(arm, self.output.resolve())

    def described(self) -> dict[str, Any]:
        """Everything that the results depend on, wherever the folder lies, as JSON values."""
        recipe = hashlib.sha256("".join(self._config(arm, Path()) for arm in ARMS).encode()).hexdigest()[:16]
        return {"steps": self.steps, "seed": self.seed, "recipe": recipe, "corpus": asdict(self.corpus)}

    def _config(self, arm: Arm, root: Path) -> str:
        return arm_config(arm, corpus=root / "corpus", store=root / "embeddings", steps=self.steps, seed=self.seed)


def run_demo(settings: DemoSettings, *, announce: Callable[[str], None] = log.info) -> Results:
    """Runs everything that is not there yet and gives the results, after they are written.

    announce: gets what is being done, line by line, and the table.

    Raises:
        NotLearntError: the plain model does not beat the noisy input in both PESQ and SI-SDR. All results are written.
        ConfigError: the folder holds something else. MissingExtraError: `cmkt[demo]`, or the
            language model that knows the language, is not installed.
        KeyboardInterrupt: training was stopped; the same call goes on from there.
    """
    started = time.monotonic()
    teacher = _teacher_name(settings.corpus)
    _check_installed(teacher)
    _claim(settings)
    _synthesise(settings, announce)
    _embed(settings, teacher, announce)
    for number, arm in enumerate(ARMS, start=3):
        _train(settings, arm, number, announce)
    scores = _evaluate(settings, announce)
    announce(f"[6/{STAGES}] Writing the table, pictures and audio")
    results = write_results(settings.output, scores, described=settings.described(), listened=LISTENED)
    announce("\n".join(["", results.table, "", CAPTION, ""]))
    announce(f"This took {(time.monotonic() - started) / 60:.1f} minutes.")
    check_learnt(results.summary, settings.output)
    return results


def _teacher_name(corpus: DemoCorpus) -> str:
    """The language model that knows what will be said."""
    return embedded_name(sentences(1, language=corpus.language, held_out=False, rng=np.random.default_rng(0)))


def _check_installed(teacher: str) -> None:
    """What is needed only after minutes of work must not turn out to be missing then."""
    embedded_folder(teacher)
    check_installed(DEFAULT_METRICS)
    if find_spec("matplotlib") is None:
        raise MissingExtraError(extra_hint("matplotlib", "demo"))


def _claim(settings: DemoSettings) -> None:
    """Makes the folder this demo's, or says why it cannot be."""
    marker = settings.output / "demo.json"
    check_output_folder(settings.output)
    if not marker.is_file():
        if settings.output.is_dir() and any(settings.output.iterdir()):
            raise ConfigError(f"`--output` must be a new or empty folder, but {settings.output} is not. Name another.")
        settings.output.mkdir(parents=True, exist_ok=True)
        write_json(marker, settings.described())
    elif json.loads(marker.read_text(encoding="utf-8")) != settings.described():
        raise ConfigError(
            f"{settings.output} must be new or hold a demo with the same settings, but holds one with others (see "
            f"{marker}). Name another --output, or delete the folder."
        )
    else:
        log.info("%s holds this demo already: what is finished there is reused.", settings.output)


def _synthesise(settings: DemoSettings, announce: Callable[[str], None]) -> None:
    announce(f"[1/{STAGES}] Synthesising speech and noise")
    corpus = settings.output / "corpus"
    if not prepare_demo(corpus, settings.corpus):
        announce("      the corpus is there: reused")
    minutes = {
        split: sum(cut.duration for cut in load_prepared(corpus / split).speech) / 60 for split in ("train", "test")
    }
    announce(f"      {minutes['train']:.1f} minutes of speech to train on, {minutes['test']:.1f} held out")


def _embed(settings: DemoSettings, teacher: str, announce: Callable[[str], None]) -> None:
    announce(f"[2/{STAGES}] Embedding the transcripts with the language model {teacher}")
    cuts = [cut for split in ("train", "dev") for cut in load_prepared(settings.output / "corpus" / split).speech]
    texts = [text for text in map(cut_text, cuts) if text]
    done = embed_texts(EmbeddedTeacher(teacher), texts, settings.output / "embeddings", progress=settings.progress)
    unknown = done.store.unknown_share
    announce(f"      {done.store.texts} transcripts, {done.store.tokens} tokens, {unknown:.0%} of them unknown to it")


def _train(settings: DemoSettings, arm: Arm, number: int, announce: Callable[[str], None]) -> None:
    announce(f"[{number}/{STAGES}] Training, {ARMS[arm]}: {settings.steps} steps")
    run, config = settings.run(arm), settings.config_path(arm)
    finished = run.root / "finished"
    if finished.is_file():
        announce("      trained already: reused")
        return
    arguments = ["--config", str(config), "--output", str(run.root)]
    if run.last.is_file():
        announce("      stopped earlier: going on from its last checkpoint")
        arguments += ["--ckpt_path", "last"]
    else:
        shutil.rmtree(run.root, ignore_errors=True)
    write_text(config, settings.config(arm))
    if fit(arguments) != 0:
        raise KeyboardInterrupt
    finished.touch()


def _evaluate(settings: DemoSettings, announce: Callable[[str], None]) -> list[Score]:
    announce(f"[5/{STAGES}] Evaluating on voices, sentences and noises that were not in training")
    evaluation = Settings(
        PreparedFolder(settings.output / "corpus" / "test", SNRS_DB),
        output=settings.output / "evaluation",
        seed=settings.seed,
        save_audio=LISTENED,
    )
    systems: list[System] = [Noisy(), *find_models([str(settings.run(arm).root) for arm in ARMS])]
    return evaluate(make_plan(evaluation), systems, jobs=settings.jobs, progress=settings.progress)
