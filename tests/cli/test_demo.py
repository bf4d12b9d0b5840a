import argparse
import sys
from pathlib import Path

import pytest

from cmkt.cli import demo
from cmkt.cli.main import main
from cmkt.errors import NotLearntError
from cmkt.training.demo import DemoSettings


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[DemoSettings]:
    """What the command asks of the demo, which is not run."""
    settings: list[DemoSettings] = []
    monkeypatch.setattr("cmkt.training.demo.run_demo", lambda given, announce: settings.append(given))
    return settings


def test_without_arguments_it_is_the_english_demo_in_the_folder_demo(asked: list[DemoSettings]) -> None:
    assert demo.run(parse()) == 0
    assert asked[0].output == Path("demo")
    assert asked[0].corpus.language == "en"
    assert asked[0].steps == demo.MINUTES * demo.STEPS_PER_MINUTE


def test_minutes_are_a_fixed_number_of_steps(asked: list[DemoSettings]) -> None:
    demo.run(parse("--minutes", "0.5"))
    assert asked[0].steps == demo.STEPS_PER_MINUTE // 2


def test_steps_language_seed_and_sizes_arrive(asked: list[DemoSettings]) -> None:
    demo.run(parse("--steps", "7", "--language", "zh", "--seed", "3", "--utterances", "9", "--test-utterances", "5"))
    settings = asked[0]
    assert (settings.steps, settings.seed) == (7, 3)
    assert (settings.corpus.language, settings.corpus.seed) == ("zh", 3)
    assert (settings.corpus.train, settings.corpus.test) == (9, 5)


def test_it_ends_with_where_to_look_and_what_to_try(
    asked: list[DemoSettings], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    demo.run(parse("--output", str(tmp_path)))
    text = capsys.readouterr().out
    assert f"cmkt enhance my.wav --model {tmp_path / 'plain'} --output enhanced" in text
    assert "cmkt prepare folder" in text
    assert str(tmp_path / "results.md") in text


def test_minutes_and_steps_exclude_each_other() -> None:
    with pytest.raises(SystemExit):
        parse("--minutes", "1", "--steps", "3")


def test_no_minutes_are_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--minutes", "0"]) == 2
    assert "`--minutes` must be above 0" in capsys.readouterr().err


def test_not_learnt_is_a_failure_that_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(settings: DemoSettings, announce: object) -> None:
        raise NotLearntError("not learnt: the plain model must beat the noisy input")

    monkeypatch.setattr("cmkt.training.demo.run_demo", fail)
    assert main(["demo"]) == 2
    captured = capsys.readouterr()
    assert "error: not learnt" in captured.err
    assert "cmkt enhance" not in captured.out


def test_a_package_that_is_not_installed_is_named_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Absent:
        def find_spec(self, name: str, path: object, target: object = None) -> None:
            if name == "cmkt.training.demo":
                raise ModuleNotFoundError("No module named 'lightning'", name="lightning.pytorch")

    monkeypatch.delitem(sys.modules, "cmkt.training.demo")
    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    assert main(["demo"]) == 2
    error = capsys.readouterr().err
    assert "`lightning` must be installed" in error
    assert "cmkt[demo]" in error
