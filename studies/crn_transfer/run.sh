#!/usr/bin/env bash
# The study of docs/results.md: plain, attention without a shift, attention with a shift of one token; same seed, same
# batches, same number of steps; and plain with other seeds, which shows how far chance alone moves the scores. Goes on
# where it was stopped. Usage: studies/crn_transfer/run.sh CORPUS OUTPUT
set -euo pipefail
corpus=${1:?the folder that holds speech.train.jsonl}
out=${2:?where data, runs and scores go}
here=$(dirname "$0")
configs=$here/../../configs
data=$out/data
. "$here/../steps.sh"

prepare train speech.train.jsonl "$english" noise.train.jsonl --noise-part 0-0.9 "${group[@]}"
prepare dev speech.dev.jsonl "$english" noise.train.jsonl --noise-part 0.9-1 "${group[@]}"
prepare test speech.test.jsonl "$english" noise.test.jsonl
cmkt embed --data "$data/train" "$data/dev" --output "$data/embeddings"

arm() { # name, overlays
  fit "$1" --config "$configs/crn.yaml" "${@:2}" --config "$here/config.yaml"
}
teacher=(--model.transfer.teacher "$data/embeddings")
attention=(--config "$configs/transfer/attention.yaml")
arm plain
arm attention "${attention[@]}" "${teacher[@]}"
arm shift1 "${attention[@]}" --config "$configs/transfer/shift1.yaml" "${teacher[@]}"
arm plain-seed2 --seed_everything 2 --data.seed 2

runs=("$out/plain" "$out/attention" "$out/shift1" "$out/plain-seed2")
cmkt evaluate --model "${runs[@]}" --data "$data/dev" --snr -5 0 5 10 --output "$out/dev" --verdict
cmkt evaluate --model "${runs[@]}" --data "$data/test" --snr -5 0 5 10 --output "$out/test"
cmkt probe "${runs[@]:0:3}" --references --limit 1000 --data "$data/train" --held-out "$data/dev" --teacher "$data/embeddings" \
  --output "$out/probe"
