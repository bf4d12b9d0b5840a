#!/usr/bin/env bash
# The study of docs/results.md: plain, attention without a shift, attention with a shift of one token; same seed, same
# batches, same number of steps; and plain with other seeds, which shows how far chance alone moves the scores. Goes on
# where it was stopped. Usage: studies/crn_transfer/run.sh CORPUS OUTPUT
set -euo pipefail
corpus=${1:?the folder that holds speech.train.jsonl}
out=${2:?where data, runs and scores go}
here=$(dirname "$0")
configs=$here/../../configs
export OMP_NUM_THREADS=1

prepare() { # name, speech list, noise list, more options
  [ -f "$out/data/$1/report.json" ] && return
  cmkt prepare jsonl --speech "$corpus/$2" --speech-ids '^(?!aishell)' --noise "$corpus/$3" --output "$out/data/$1" "${@:4}"
}
group=(--noise-group '^.*\d') # excerpts of one recording stay together
prepare train speech.train.jsonl noise.train.jsonl --noise-part 0-0.9 "${group[@]}"
prepare dev speech.dev.jsonl noise.train.jsonl --noise-part 0.9-1 "${group[@]}"
prepare test speech.test.jsonl noise.test.jsonl
cmkt embed --data "$out/data/train" "$out/data/dev" --output "$out/data/embeddings"

fit() { # name, overlays
  [ -f "$out/$1/enhancer/model.json" ] && return
  local resume=()
  [ -f "$out/$1/checkpoints/last.ckpt" ] && resume=(--ckpt_path "$out/$1/checkpoints/last.ckpt")
  cmkt fit --config "$configs/crn.yaml" "${@:2}" --config "$here/config.yaml" --output "$out/$1" \
    --data.train "$out/data/train" --data.dev "$out/data/dev" "${resume[@]}"
}
teacher=(--model.transfer.teacher "$out/data/embeddings")
attention=(--config "$configs/transfer/attention.yaml")
fit plain
fit attention "${attention[@]}" "${teacher[@]}"
fit shift1 "${attention[@]}" --config "$configs/transfer/shift1.yaml" "${teacher[@]}"
fit plain-seed2 --seed_everything 2 --data.seed 2

runs=("$out/plain" "$out/attention" "$out/shift1" "$out/plain-seed2")
cmkt evaluate --model "${runs[@]}" --data "$out/data/dev" --snr -5 0 5 10 --output "$out/dev" --verdict
cmkt evaluate --model "${runs[@]}" --data "$out/data/test" --snr -5 0 5 10 --output "$out/test"
cmkt probe "${runs[@]:0:3}" --references --limit 1000 --data "$out/data/train" --held-out "$out/data/dev" --teacher "$out/data/embeddings" \
  --output "$out/probe"
