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

mix() { cmkt mix --data "$data/$1" --snr -5 0 5 10 --format float --output "$out/sets/$1"; }
score() { # name, list in sets, options of evaluate as one word; then systems
  local name=$1 list=$out/sets/$2 options folders=()
  local enhanced=$out/enhanced/${2%.jsonl}
  read -ra options <<< "$3"
  shift 3
  (cd "$root" && PYTHONPATH=$root/src "$venv/bin/python" -m studies.peers.enhance "$list" "$enhanced" "$@")
  for system in "$@"; do folders+=("$enhanced/$system"); done
  cmkt evaluate --pairs "$list" --enhanced "${folders[@]}" --output "$out/scores/$name" "${options[@]}"
}
for split in dev test test-mandarin; do mix "$split"; done

score dev dev/list.jsonl "--metrics pesq_wb stoi si_sdr --limit 40" \
  webrtc-0 webrtc-1 webrtc-2 webrtc-3 noisereduce-stationary noisereduce-moving
chosen=(webrtc-1 rnnoise noisereduce-moving) # the highest PESQ-WB on dev of each
ours="--model default --metrics pesq_wb stoi estoi si_sdr"
score test test/list.jsonl "$ours" "${chosen[@]}"
score test-mandarin test-mandarin/list.jsonl "$ours" "${chosen[@]}"
score words test/list.jsonl "$ours --words --limit 60" "${chosen[@]}"
# What each does to the references themselves, one in three: where they hold noise, removing it costs PESQ.
grep '"snr_db": 10.0' "$out/sets/test/list.jsonl" | sed 's#"noisy": "noisy/#"noisy": "clean/#' | awk 'NR % 3 == 1' \
  > "$out/sets/test/references.jsonl"
score references test/references.jsonl "--model default --metrics pesq_wb stoi" "${chosen[@]}"
cmkt compare "$out/scores/test"
python "$root/studies/peers/by_snr.py" "$out/scores/test" default rnnoise
