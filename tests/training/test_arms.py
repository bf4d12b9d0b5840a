"""Both arms of a comparison start from the same model and see the same batches."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import nn

from cmkt.data.batch import Batch
from cmkt.errors import ConfigError, DataError, LayerError, StoreError
from cmkt.losses.mae import MAE
from cmkt.testing.tiny_models import save_tiny_bert
from cmkt.text.controls import ShuffledTeacher
from cmkt.training.arms import PlainTask, Transfer, build_arm, check_covered
from cmkt.training.data import MixtureData
from cmkt.training.module import EnhancementModule
from cmkt.transfer.attention import Attention
from cmkt.transfer.ctc import CTC


def settings(folder: Path, **changes: object) -> Transfer:
    known: dict[str, object] = {
        "layer": "hidden",
        "teacher": str(folder / "store"),
        "alignment": Attention(heads=1, width=4),
    }
    return Transfer(**(known | changes))  # type: ignore[arg-type]


def build(toy: type[nn.Module], transfer: Transfer | None) -> EnhancementModule:
    torch.manual_seed(7)
    return EnhancementModule(toy(), MAE(window_samples=64, hop_samples=32), transfer=transfer)


def first_batches(folder: Path) -> list[Batch]:
    data = MixtureData(str(folder / "train"), str(folder / "dev"), sample_rate=8000, batch_seconds=4.0)
    return list(islice(data.train_dataloader(), 3))


def test_both_arms_have_the_same_initial_weights(toy: type[nn.Module], corpus_folder: Path) -> None:
    plain = build(toy, None).enhancer.state_dict()
    transfer = build(toy, settings(corpus_folder)).enhancer.state_dict()
    assert plain.keys() == transfer.keys()
    assert all(torch.equal(value, transfer[name]) for name, value in plain.items())


def test_building_the_bridge_takes_none_of_the_models_random_numbers(toy: type[nn.Module], corpus_folder: Path) -> None:
    build(toy, None)
    plain = torch.rand(4)
    build(toy, settings(corpus_folder))
    assert torch.equal(torch.rand(4), plain)


def test_a_bridge_of_another_seed_leaves_the_model_as_it_is(toy: type[nn.Module], corpus_folder: Path) -> None:
    first, second = (build(toy, settings(corpus_folder, seed=seed)) for seed in (0, 1))
    weights = [module.enhancer.state_dict() for module in (first, second)]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    bridges = [torch.cat([p.flatten() for p in module.task.branches.parameters()]) for module in (first, second)]  # type: ignore[union-attr]
    assert not torch.equal(*bridges)


def test_both_arms_see_the_same_batches_and_draw_the_same_dropout(toy: type[nn.Module], corpus_folder: Path) -> None:
    arms = [build(toy, transfer) for transfer in (None, settings(corpus_folder))]
    batches = [first_batches(corpus_folder) for _ in arms]
    for plain, transfer in zip(*batches, strict=True):
        assert plain.ids == transfer.ids
        assert torch.equal(plain.noisy, transfer.noisy)
        assert torch.equal(plain.clean, transfer.clean)
        torch.manual_seed(1)
        losses = [arms[0].task(plain.noisy, clean=plain.clean, lengths=plain.lengths, texts=plain.texts)]
        after = torch.rand(1)
        torch.manual_seed(1)
        losses.append(arms[1].task(plain.noisy, clean=plain.clean, lengths=plain.lengths, texts=plain.texts))
        assert torch.equal(losses[0].enhancement, losses[1].enhancement)
        assert torch.equal(torch.rand(1), after)


def test_the_plain_arm_has_no_transfer_term(toy: type[nn.Module], corpus_folder: Path) -> None:
    batch = first_batches(corpus_folder)[0]
    losses = build(toy, None).task(batch.noisy, clean=batch.clean, lengths=batch.lengths, texts=batch.texts)
    assert losses.total is losses.enhancement
    assert (float(losses.transfer), losses.tokens) == (0.0, 0)


def test_the_plain_arm_saves_nothing_but_the_model(toy: type[nn.Module]) -> None:
    task = build_arm(toy(), MAE(), None)
    assert isinstance(task, PlainTask)
    assert all(name.startswith("model.") for name in task.state_dict())


def test_a_layer_that_does_not_exist_is_refused(toy: type[nn.Module], corpus_folder: Path) -> None:
    with pytest.raises(LayerError, match="hidden"):
        build(toy, settings(corpus_folder, layer="hiden"))


def test_a_negative_log_interval_is_refused(toy: type[nn.Module], corpus_folder: Path) -> None:
    with pytest.raises(ConfigError, match="log_gradient_norms_every"):
        build(toy, settings(corpus_folder, log_gradient_norms_every=-1))


def test_a_store_that_lacks_transcripts_says_how_to_add_them(
    toy: type[nn.Module], corpus_folder: Path, other_prepared: Path, data: MixtureData
) -> None:
    teacher = build(toy, settings(corpus_folder)).task.teacher
    check_covered(teacher, data)  # type: ignore[arg-type]
    other = MixtureData(str(other_prepared), str(corpus_folder / "dev"), sample_rate=8000)
    with pytest.raises(StoreError, match=r"lacks 3 of 7.*cmkt embed --data"):
        check_covered(teacher, other)  # type: ignore[arg-type]


def test_transfer_without_a_transcript_is_refused(
    toy: type[nn.Module], corpus_folder: Path, wordless_prepared: tuple[Path, Path]
) -> None:
    teacher = build(toy, settings(corpus_folder)).task.teacher
    train, dev = wordless_prepared
    with pytest.raises(DataError, match="transcripts"):
        check_covered(teacher, MixtureData(str(train), str(dev), sample_rate=8000))  # type: ignore[arg-type]


def test_transcripts_in_dev_alone_are_not_enough(
    toy: type[nn.Module], corpus_folder: Path, wordless_prepared: tuple[Path, Path]
) -> None:
    teacher = build(toy, settings(corpus_folder)).task.teacher
    data = MixtureData(str(wordless_prepared[0]), str(corpus_folder / "dev"), sample_rate=8000)
    with pytest.raises(DataError, match="transcripts"):
        check_covered(teacher, data)  # type: ignore[arg-type]


def test_a_shuffled_arm_learns_its_transcripts_from_the_training_data(
    toy: type[nn.Module], corpus_folder: Path, data: MixtureData
) -> None:
    module = build(toy, settings(corpus_folder, control="shuffled", seed=5))
    module.check_data(data)
    teacher = module.task.teacher
    assert isinstance(teacher, ShuffledTeacher)
    assert teacher.seed == 5
    own = [f"words of train{index:02d}" for index in range(18)]
    assert all(teacher.other_text(text) in own and teacher.other_text(text) != text for text in own)
    assert teacher.other_text("words of dev00") in own
    before = [teacher.other_text(text) for text in own]
    module.check_data(data)
    assert [teacher.other_text(text) for text in own] == before
    batch = first_batches(corpus_folder)[0]
    assert module.task(batch.noisy, clean=batch.clean, lengths=batch.lengths, texts=batch.texts).tokens > 0


def test_a_shuffled_arm_checks_the_store_as_the_real_one_does(
    toy: type[nn.Module], corpus_folder: Path, other_prepared: Path
) -> None:
    module = build(toy, settings(corpus_folder, control="shuffled"))
    other = MixtureData(str(other_prepared), str(corpus_folder / "dev"), sample_rate=8000)
    with pytest.raises(StoreError, match="lacks 3 of 7"):
        module.check_data(other)


def test_every_control_shares_the_model_and_its_random_numbers_with_the_plain_arm(
    toy: type[nn.Module], corpus_folder: Path, tmp_path: Path
) -> None:
    bert = str(save_tiny_bert(tmp_path))
    plain = build(toy, None).enhancer.state_dict()
    after = torch.rand(4)
    for changes in (
        {"control": "shuffled"},
        {"control": "random", "teacher": bert},
        {"teacher": "characters", "alignment": CTC()},
    ):
        module = build(toy, settings(corpus_folder, **changes))
        assert torch.equal(torch.rand(4), after)
        assert all(torch.equal(value, plain[name]) for name, value in module.enhancer.state_dict().items())


def test_an_unknown_control_is_refused(toy: type[nn.Module], corpus_folder: Path) -> None:
    with pytest.raises(ConfigError, match="`control` must be"):
        build(toy, settings(corpus_folder, control="shuffeld"))


def test_a_model_given_as_the_loss_is_refused_when_the_arm_is_built(toy: type[nn.Module]) -> None:
    with pytest.raises(ConfigError, match=r"estimate=, reference=, lengths=.*ToyEnhancer takes \(noisy\)"):
        build_arm(toy(), toy(), None)
