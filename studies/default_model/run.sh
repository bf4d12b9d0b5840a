#!/usr/bin/env bash
# Trains the model that ships and measures it. Goes on where it was stopped. About 90 minutes on two cores.
# Usage: studies/default_model/run.sh CORPUS OUTPUT
set -euo pipefail
corpus=${1:?the folder that holds speech.train.jsonl}
out=${2:?where data, the run and the scores go}
here=$(dirname "$0")
config=$here/../../configs/shipped/dpcrn.yaml
export OMP_NUM_THREADS=1 # the loader has the other core

prepare() { # name, speech list, noise list, more options; the AISHELL sample pack has no stated licence
  [ -f "$out/data/$1/report.json" ] && return
  cmkt prepare jsonl --speech "$corpus/$2" --speech-ids '^(?!aishell)' --noise "$corpus/$3" --output "$out/data/$1" "${@:4}"
}
group=(--noise-group '^.*\d') # excerpts of one recording stay together
prepare train speech.train.jsonl noise.train.jsonl --noise-part 0-0.9 "${group[@]}" --rir "$corpus/rir.jsonl" --rir-ids '^surrey'
prepare dev speech.dev.jsonl noise.train.jsonl --noise-part 0.9-1 "${group[@]}"
prepare test speech.test.jsonl noise.test.jsonl

run=$out/run
if [ ! -f "$run/enhancer/model.json" ]; then
  resume=()
  [ -f "$run/checkpoints/last.ckpt" ] && resume=(--ckpt_path "$run/checkpoints/last.ckpt")
  cmkt fit --config "$config" --output "$run" --data.train "$out/data/train" --data.dev "$out/data/dev" "${resume[@]}"
fi
for split in dev test; do
  cmkt evaluate --model "$run" --data "$out/data/$split" --snr -5 0 5 10 --output "$out/$split"
done
