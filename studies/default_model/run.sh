#!/usr/bin/env bash
# Trains the model that ships, puts it into the package, and measures it. Goes on where it was stopped. About four hours
# on two cores.
# Usage: studies/default_model/run.sh CORPUS OUTPUT
set -euo pipefail
corpus=${1:?the folder that holds speech.train.jsonl}
out=${2:?where data, the run and the scores go}
here=$(dirname "$0")
configs=$here/../../configs/shipped
data=$out/data
. "$here/../steps.sh"

prepare train speech.train.jsonl "$english" noise.train.jsonl --noise-part 0-0.9 "${group[@]}" --rir "$corpus/rir.jsonl" --rir-ids '^surrey'
prepare dev speech.dev.jsonl "$english" noise.train.jsonl --noise-part 0.9-1 "${group[@]}"
prepare test speech.test.jsonl "$english" noise.test.jsonl
prepare test-mandarin speech.test.jsonl "$mandarin" noise.test.jsonl
prepare test-rooms speech.test.jsonl "$english" noise.test.jsonl --rir "$corpus/rir.jsonl" --rir-ids '^spatialaudio'

dpcrn=(--config "$configs/dpcrn.yaml")
fit first "${dpcrn[@]}" --trainer.limit_train_batches 6000 --trainer.max_epochs 1 # of the 14,000 steps of its learning rate schedule
fit second "${dpcrn[@]}" --config "$configs/polish.yaml" --init "$out/first"
"$here/third_stage.sh" "$out"

shipped=$here/../../src/cmkt/inference/default
mkdir -p "$shipped"
cp "$out/third/all-mean/model.json" "$out/third/all-mean/model.safetensors" "$shipped"
cmkt export "$shipped" --output "$shipped/model.onnx" --overwrite
for split in dev test; do
  cmkt evaluate --model default --data "$data/$split" --snr -5 0 5 10 --words --output "$out/scores/$split"
done
cmkt evaluate --model default --data "$data/test-mandarin" --snr -5 0 5 10 --output "$out/scores/test-mandarin" # words: English only
python "$here/clean_input.py" "$data/test" default
python "$here/rooms_and_music.py" "$data/test-rooms" default
