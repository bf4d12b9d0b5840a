from pathlib import Path

from cmkt.training.demo_arms import arm_config


def test_a_path_with_anything_in_it_is_still_yaml() -> None:
    import yaml

    corpus = Path('a "quoted": folder # 1/corpus')
    read = yaml.safe_load(arm_config("plain", corpus=corpus, store=Path("s"), steps=100, seed=3))
    assert read["data"]["train"] == str(corpus / "train")
    assert read["seed_everything"] == read["data"]["seed"] == 3
    assert read["trainer"]["max_steps"] == 100


def test_only_the_transfer_arm_has_a_teacher() -> None:
    import yaml

    plain, transfer = (
        yaml.safe_load(arm_config(arm, corpus=Path("c"), store=Path("s"), steps=1, seed=0))
        for arm in ("plain", "transfer")
    )
    assert transfer["model"].pop("transfer")["teacher"] == "s"
    assert plain == transfer
