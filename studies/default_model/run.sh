#!/usr/bin/env bash
# Trains the model that ships, puts it into the package, and measures it. Goes on where it was stopped. About four hours
# on two cores.
# Usage: studies/default_model/run.sh CORPUS OUTPUT
set -euo pipefail
corpus=${1:?the folder that holds speech.train.jsonl}
out=${2:?where data, the run and the scores go}
here=$(dirname "$0")
configs=$here/../../configs/shipped
export OMP_NUM_THREADS=1 # the loader has the other core

english='^(?!aishell)' # the AISHELL sample pack does not state its licence: nothing is trained on it
prepare() { # name, speech list, which of it, noise list, more options
  [ -f "$out/data/$1/report.json" ] && return
  cmkt prepare jsonl --speech "$corpus/$2" --speech-ids "$3" --noise "$corpus/$4" --output "$out/data/$1" "${@:5}"
}
group=(--noise-group '^.*\d') # excerpts of one recording stay together
prepare train speech.train.jsonl "$english" noise.train.jsonl --noise-part 0-0.9 "${group[@]}" --rir "$corpus/rir.jsonl" --rir-ids '^surrey'
prepare dev speech.dev.jsonl "$english" noise.train.jsonl --noise-part 0.9-1 "${group[@]}"
prepare test speech.test.jsonl "$english" noise.test.jsonl
prepare test-mandarin speech.test.jsonl "^aishell" noise.test.jsonl
prepare test-rooms speech.test.jsonl "$english" noise.test.jsonl --rir "$corpus/rir.jsonl" --rir-ids '^spatialaudio'

fit() { # name, options
  [ -f "$out/$1/enhancer/model.json" ] && return
  local resume=()
  [ -f "$out/$1/checkpoints/last.ckpt" ] && resume=(--ckpt_path "$out/$1/checkpoints/last.ckpt")
  cmkt fit --config "$configs/dpcrn.yaml" "${@:2}" --output "$out/$1" --data.train "$out/data/train" --data.dev "$out/data/dev" \
    "${resume[@]}"
}
fit first --trainer.limit_train_batches 6000 --trainer.max_epochs 1 # of the 14,000 steps of its learning rate schedule
fit second --config "$configs/polish.yaml" --init "$out/first"
"$here/third_stage.sh" "$out"

shipped=$here/../../src/cmkt/inference/default
mkdir -p "$shipped"
cp "$out/third/all-mean/model.json" "$out/third/all-mean/model.safetensors" "$shipped"
cmkt export "$shipped" --output "$shipped/model.onnx" --overwrite
for split in dev test; do
  cmkt evaluate --model default --data "$out/data/$split" --snr -5 0 5 10 --words --output "$out/scores/$split"
done
cmkt evaluate --model default --data "$out/data/test-mandarin" --snr -5 0 5 10 --output "$out/scores/test-mandarin" # words: English only
python "$here/clean_input.py" "$out/data/test" default
python "$here/rooms_and_music.py" "$out/data/test-rooms" default
