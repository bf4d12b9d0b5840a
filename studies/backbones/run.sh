#!/usr/bin/env bash
# Transfer across architectures: a CRN and a Demucs trained from nothing, each plain, with MiniLM as its teacher and with
# the characters of the transcripts (CTC); the third, DPCRN, is in studies/default_model/third_stage.sh. Goes on where it
# was stopped. Usage: studies/backbones/run.sh DATA OUTPUT [SEED...]
#   DATA: train, dev, test and embeddings, as studies/default_model/run.sh prepares them
set -euo pipefail
data=${1:?the folder that holds train, dev, test and embeddings}
out=${2:?where runs and scores go}
seeds=("${@:3}")
[ ${#seeds[@]} -gt 0 ] || seeds=(1)
here=$(dirname "$0")
configs=$here/../../configs
. "$here/../steps.sh"

arm() { # name, seed, configs and options
  fit "$1" "${@:3}" --seed_everything "$2" --data.seed "$2"
}
attention=(--config "$configs/transfer/attention.yaml" --config "$configs/transfer/shift1.yaml")
minilm=("${attention[@]}" --model.transfer.teacher "$data/embeddings")
characters=("${attention[@]:0:2}" --config "$configs/transfer/ctc.yaml")
crn=(--config "$configs/crn.yaml" --config "$here/crn.yaml" --config "$here/config.yaml")
demucs=(--config "$configs/demucs.yaml" --config "$here/config.yaml")
crn_layer=recurrent
demucs_layer=recurrent.lstm

for seed in "${seeds[@]}"; do
  for backbone in crn demucs; do
    declare -n base=$backbone layer=${backbone}_layer
    arm "$backbone-plain-$seed" "$seed" "${base[@]}"
    arm "$backbone-minilm-$seed" "$seed" "${base[@]}" "${minilm[@]}" --model.transfer.layer "$layer"
    arm "$backbone-characters-$seed" "$seed" "${base[@]}" "${characters[@]}" --model.transfer.layer "$layer"
  done
done

arms() { # backbone, teacher: the runs of every seed, with commas
  local runs=("${seeds[@]/#/$1-$2-}")
  (IFS=,; echo "$2=${runs[*]}")
}
for backbone in crn demucs; do
  cmkt evaluate --model "$out/$backbone"-{plain,minilm,characters}-* --data "$data/dev" --snr -5 0 5 10 --output "$out/scores/$backbone-dev" \
    --verdict
  cmkt evaluate --model "$out/$backbone"-{plain,minilm,characters}-* --data "$data/test" --snr -5 0 5 10 --output "$out/scores/$backbone-test"
  if [ ${#seeds[@]} -gt 1 ]; then
    cmkt compare "$out/scores/$backbone-test" --paired-seeds \
      --arms "$(arms "$backbone" plain)" "$(arms "$backbone" minilm)" "$(arms "$backbone" characters)"
  fi
done
