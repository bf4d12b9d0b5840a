#!/usr/bin/env bash
# The third stage of the default model, with simulated rooms, codecs and music: plain, with linguistic transfer and with
# that of other utterances' transcripts, two seeds each, whose arms share every batch; what transfer did, on dev; and which
# mean of weights ships, by the score of choose.py. Goes on where it was stopped. About two hours on two cores. run.sh
# calls it.
# Usage: studies/default_model/third_stage.sh OUTPUT
set -euo pipefail
out=${1:?the OUTPUT of run.sh}
here=$(dirname "$0")
configs=$here/../../configs
data=$out/data
. "$here/../steps.sh"

[ -d "$data/embeddings" ] || cmkt embed --data "$data/train" "$data/dev" --output "$data/embeddings"

arm() { # name, seed of the batches, overlays
  fit "third/$1" --config "$configs/shipped/dpcrn.yaml" --config "$configs/shipped/rooms.yaml" --init "$out/second" "${@:3}" \
    --data.seed "$2"
}
transfer=(--config "$configs/transfer/attention.yaml" --config "$configs/transfer/shift1.yaml" --config "$here/transfer.yaml"
  --model.transfer.teacher "$data/embeddings")
third=$out/third
for seed in 1 2; do
  arm "plain-$seed" $((seed + 1)) # the second stage had seed 1
  arm "transfer-$seed" $((seed + 1)) "${transfer[@]}" --model.transfer.seed "$seed"
  arm "shuffled-$seed" $((seed + 1)) "${transfer[@]}" --config "$configs/transfer/shuffled.yaml" --model.transfer.seed "$seed"
done

# Does transfer help? docs/results.md
cmkt evaluate --model "$out/second" "$third/"{plain,transfer,shuffled}-{1,2} --data "$data/dev" --metrics pesq_wb stoi estoi si_sdr \
  --output "$out/scores/arms-dev" --verdict
cmkt compare "$out/scores/arms-dev" --paired-seeds --arms plain=plain-1,plain-2 transfer=transfer-1,transfer-2 \
  shuffled=shuffled-1,shuffled-2

# What ships? docs/default_model.md
[ -d "$third/plain-mean" ] || cmkt average "$third/plain-1" "$third/plain-2" --output "$third/plain-mean"
[ -d "$third/all-mean" ] || cmkt average "$out/second" "$third/plain-1" "$third/plain-2" --output "$third/all-mean"
candidates=("$out/second" "$third/plain-mean" "$third/all-mean")
cmkt evaluate --model "${candidates[@]}" --data "$data/dev" --limit 40 --metrics pesq_wb stoi si_sdr --words \
  --output "$out/scores/candidates-dev"
python "$here/rooms_and_music.py" "$data/dev" "${candidates[@]}" --limit 24 --json "$out/scores/candidates-rooms.json"
python "$here/choose.py" "$out/scores/candidates-dev" "$out/scores/candidates-rooms.json"
