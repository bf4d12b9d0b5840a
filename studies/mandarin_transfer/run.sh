#!/usr/bin/env bash
# Mandarin transfer without a network: the default model, trained on English, goes on with 40 minutes of one Mandarin voice,
# plain, with the Mandarin encoder of packages/cmkt-mandarin-lm and with other utterances' transcripts. One voice a split,
# mostly short commands: this shows that it runs and describes, it is no ground for a conclusion. Goes on where it was
# stopped. Usage: studies/mandarin_transfer/run.sh CORPUS OUTPUT
set -euo pipefail
corpus=${1:?the folder that holds speech.train.jsonl}
out=${2:?where data, runs and scores go}
here=$(dirname "$0")
configs=$here/../../configs
export OMP_NUM_THREADS=1 # the loader has the other core

prepare() { # name, speech list, noise list, more options
  [ -f "$out/data/$1/report.json" ] && return
  cmkt prepare jsonl --speech "$corpus/$2" --speech-ids '^aishell' --noise "$corpus/$3" --output "$out/data/$1" "${@:4}"
}
group=(--noise-group '^.*\d') # excerpts of one recording stay together
prepare train speech.train.jsonl noise.train.jsonl --noise-part 0-0.9 "${group[@]}"
prepare dev speech.dev.jsonl noise.train.jsonl --noise-part 0.9-1 "${group[@]}"
prepare test speech.test.jsonl noise.test.jsonl
cmkt embed --data "$out/data/"{train,dev,test} --teacher embedded --output "$out/data/embeddings"

fit() { # name, overlays and options
  [ -f "$out/$1/enhancer/model.json" ] && return
  local resume=()
  [ -f "$out/$1/checkpoints/last.ckpt" ] && resume=(--ckpt_path "$out/$1/checkpoints/last.ckpt")
  cmkt fit --config "$configs/finetune.yaml" "${@:2}" --config "$here/config.yaml" --init default --output "$out/$1" \
    --data.train "$out/data/train" --data.dev "$out/data/dev" "${resume[@]}"
}
teacher=(--config "$configs/transfer/attention.yaml" --config "$configs/transfer/shift1.yaml" --config "$here/../default_model/transfer.yaml"
  --model.transfer.bridge_warmup_steps 150 --model.transfer.teacher "$out/data/embeddings")
fit plain
fit transfer "${teacher[@]}"
fit shuffled "${teacher[@]}" --config "$configs/transfer/shuffled.yaml"

cmkt evaluate --model "$out/"{plain,transfer,shuffled} --data "$out/data/dev" --snr -5 0 5 10 --output "$out/scores/dev" --verdict
cmkt evaluate --model default "$out/"{plain,transfer,shuffled} --data "$out/data/test" --snr -5 0 5 10 --output "$out/scores/test"
cmkt probe default "$out/"{plain,transfer,shuffled} --references --layer recurrent.lstm --alignment positional attention \
  --data "$out/data/train" --held-out "$out/data/"{dev,test} --teacher "$out/data/embeddings" --output "$out/probe"
