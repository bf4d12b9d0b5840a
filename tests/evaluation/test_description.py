from __future__ import annotations

import json
from pathlib import Path

from cmkt.evaluation.description import DESCRIPTION, write_description
from cmkt.evaluation.evaluated_model import find_models
from cmkt.evaluation.opened import forget_all, open_held_out
from cmkt.evaluation.pair_set import PairList
from cmkt.evaluation.plan import make_plan
from cmkt.evaluation.settings import Settings
from cmkt.evaluation.systems import Noisy


def test_it_says_on_what_with_what_and_how(pair_list: Path, run: Path, tmp_path: Path) -> None:
    forget_all()
    settings = Settings(PairList(pair_list), output=tmp_path / "new" / "out", limit=2, metrics=("stoi",))
    plan = make_plan(settings)
    held_out = open_held_out(settings)
    write_description(plan, held_out, [Noisy(), *find_models([str(run)])], warnings=["first: shifted"])
    told = json.loads((settings.output / DESCRIPTION).read_text(encoding="utf-8"))
    assert told["test_set"] == {
        "kind": "pairs",
        "path": str(pair_list),
        "title": "`set/list.jsonl`",
        "fingerprint": plan.data,
        "sample_rates": [16_000],
        "seed": 0,
        "limit": 2,
        "utterances": 2,
        "mixtures": len(held_out.items),
        "references": len(held_out.items),
    }
    assert told["systems"]["noisy"] == {"kind": "noisy", "weights": ""}
    assert told["systems"]["first"]["source"] == str(run)
    assert (told["metrics"], told["sound"], told["words"]) == (["stoi"], plan.sound, None)
    assert told["warnings"] == ["first: shifted"]
    assert {"cmkt", "python", "numpy", "pesq"} <= told["versions"].keys()
