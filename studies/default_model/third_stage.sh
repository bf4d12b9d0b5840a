#!/usr/bin/env bash
# The third stage of the default model, with simulated rooms, codecs and music: three arms (plain, linguistic transfer,
# transfer with shuffled transcripts) of three seeds each, which share the batches of a seed; then all of them, and the
# means of the weights of each arm, on dev, and the score by which one is chosen. Goes on where it was stopped. About
# three hours on two cores. Usage: studies/default_model/third_stage.sh CORPUS OUTPUT, after run.sh with the same OUTPUT.
set -euo pipefail
corpus=${1:?the folder that holds speech.train.jsonl}
out=${2:?the OUTPUT of run.sh}
here=$(dirname "$0")
configs=$here/../../configs
export OMP_NUM_THREADS=1 # the loader has the other core

[ -d "$out/data/embeddings" ] || cmkt embed --data "$out/data/train" "$out/data/dev" --output "$out/data/embeddings"

fit() { # name, seed of the batches, overlays
  [ -f "$out/third/$1/enhancer/model.json" ] && return
  local resume=()
  [ -f "$out/third/$1/checkpoints/last.ckpt" ] && resume=(--ckpt_path "$out/third/$1/checkpoints/last.ckpt")
  cmkt fit --config "$configs/shipped/dpcrn.yaml" --config "$configs/shipped/rooms.yaml" --init "$out/second" "${@:3}" \
    --data.seed "$2" --data.train "$out/data/train" --data.dev "$out/data/dev" --output "$out/third/$1" "${resume[@]}"
}
transfer=(--config "$configs/transfer/attention.yaml" --config "$configs/transfer/shift1.yaml" --config "$here/transfer.yaml"
  --model.transfer.teacher "$out/data/embeddings")
models=("$out/second")
for seed in 1 2 3; do
  fit "plain-$seed" $((seed + 1)) # the second stage had seed 1
  fit "transfer-$seed" $((seed + 1)) "${transfer[@]}" --model.transfer.seed "$seed"
  fit "shuffled-$seed" $((seed + 1)) "${transfer[@]}" --config "$configs/transfer/shuffled.yaml" --model.transfer.seed "$seed"
  models+=("$out/third/plain-$seed" "$out/third/transfer-$seed" "$out/third/shuffled-$seed")
done
for arm in plain transfer; do
  [ -d "$out/third/$arm-mean" ] || cmkt average "$out/third/$arm-"[123] --output "$out/third/$arm-mean"
  models+=("$out/third/$arm-mean")
done

cmkt evaluate --model "${models[@]}" --data "$out/data/dev" --words --output "$out/scores/third-dev"
cmkt compare "$out/scores/third-dev" --paired-seeds --arms plain=plain-1,plain-2,plain-3 \
  transfer=transfer-1,transfer-2,transfer-3 shuffled=shuffled-1,shuffled-2,shuffled-3
python "$here/rooms_and_music.py" "$out/data/dev" "${models[@]}" --limit 60 --json "$out/scores/third-rooms.json"
python "$here/choose.py" "$out/scores/third-dev" "$out/scores/third-rooms.json"
