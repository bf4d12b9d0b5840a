#!/usr/bin/env bash
# Mandarin transfer without a network: the default model, trained on English, goes on with 40 minutes of Mandarin,
# plain, with the Mandarin encoder of packages/cmkt-mandarin-lm and with other utterances' transcripts. One voice a split,
# mostly short commands: this shows that it runs and describes, it is no ground for a conclusion. Goes on where it was
# stopped. Usage: studies/mandarin_transfer/run.sh CORPUS OUTPUT
set -euo pipefail
corpus=${1:?the folder that holds speech.train.jsonl}
out=${2:?where data, runs and scores go}
here=$(dirname "$0")
configs=$here/../../configs
data=$out/data
. "$here/../steps.sh"

prepare train speech.train.jsonl "$mandarin" noise.train.jsonl --noise-part 0-0.9 "${group[@]}"
prepare dev speech.dev.jsonl "$mandarin" noise.train.jsonl --noise-part 0.9-1 "${group[@]}"
prepare test speech.test.jsonl "$mandarin" noise.test.jsonl
cmkt embed --data "$data/"{train,dev,test} --teacher embedded --output "$data/embeddings"

arm() { # name, overlays
  fit "$1" --config "$configs/finetune.yaml" "${@:2}" --config "$here/config.yaml" --init default
}
teacher=(--config "$configs/transfer/attention.yaml" --config "$configs/transfer/shift1.yaml" --config "$here/../default_model/transfer.yaml"
  --model.transfer.bridge_warmup_steps 150 --model.transfer.teacher "$data/embeddings")
arm plain
arm transfer "${teacher[@]}"
arm shuffled "${teacher[@]}" --config "$configs/transfer/shuffled.yaml"

cmkt evaluate --model "$out/"{plain,transfer,shuffled} --data "$data/dev" --snr -5 0 5 10 --output "$out/scores/dev" --verdict
cmkt evaluate --model default "$out/"{plain,transfer,shuffled} --data "$data/test" --snr -5 0 5 10 --output "$out/scores/test"
cmkt probe default "$out/"{plain,transfer,shuffled} --references --layer recurrent.lstm --alignment positional attention \
  --data "$data/train" --held-out "$data/"{dev,test} --teacher "$data/embeddings" --output "$out/probe"
