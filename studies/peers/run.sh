#!/usr/bin/env bash
# The default model beside other people's noise suppressors, on mixtures of unseen voices and noises: docs/results.md.
# Settings of theirs are chosen on part of dev. Goes on where it was stopped.
# Usage: studies/peers/run.sh DATA OUTPUT, where DATA has the prepared folders dev, test and test-mandarin
# (studies/default_model/run.sh makes them). Python 3.11, and the cmkt of this repository with [train,eval,asr].
set -euo pipefail
data=$(realpath "${1:?the folder of prepared data}")
mkdir -p "${2:?where test sets, enhanced audio and scores go}"
out=$(realpath "$2")
root=$(realpath "$(dirname "$0")/../..")
export OMP_NUM_THREADS=1

venv=$out/venv # theirs; nothing of theirs gets into the environment of cmkt
if [ ! -f "$venv/.ready" ]; then
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --no-deps --requirement "$root/studies/peers/requirements.txt"
  touch "$venv/.ready"
fi

score() { # split, options of evaluate as one word; then systems
  local split=$1 options folders=()
  read -ra options <<< "$2"
  shift 2
  cmkt mix --data "$data/$split" --snr -5 0 5 10 --format float --output "$out/sets/$split"
  (cd "$root" && PYTHONPATH=$root/src "$venv/bin/python" -m studies.peers.enhance \
    "$out/sets/$split/list.jsonl" "$out/enhanced/$split" "$@")
  for system in "$@"; do folders+=("$out/enhanced/$split/$system"); done
  cmkt evaluate --pairs "$out/sets/$split/list.jsonl" --enhanced "${folders[@]}" --output "$out/scores/$split" "${options[@]}"
}
score dev "--metrics pesq_wb stoi si_sdr --limit 40" webrtc-0 webrtc-1 webrtc-2 webrtc-3 noisereduce-stationary noisereduce-moving
chosen=(webrtc-1 rnnoise noisereduce-moving) # the highest PESQ-WB on dev of each
score test "--model default --words" "${chosen[@]}"
score test-mandarin "--model default" "${chosen[@]}" # words: English only
cmkt compare "$out/scores/test"
