#!/usr/bin/env bash
# The Mandarin language models of packages/cmkt-mandarin-lm, from the corpus's text. Stopped, it goes on where it was.
# Usage: CMKT_CORPUS=DIR studies/mandarin_lm/run.sh gpu|cpu [OUTPUT]
set -euo pipefail
cd "$(dirname "$0")/../.."
device=${1:?"gpu or cpu"}
output=${2:-runs/mandarin-lm-$device}
text=${CMKT_CORPUS:-../shared/corpus}/text
package=packages/cmkt-mandarin-lm/src/cmkt_mandarin_lm

case $device in
  gpu) size=(--width 256 --layers 4 --intermediate 640 --softmax-characters 0 --batch-tokens 16384 --learning-rate 2e-3
             --decoder-epochs 8 --encoder-epochs 12) ;;
  cpu) size=(--width 192 --layers 2 --intermediate 512 --batch-tokens 1024 --decoder-epochs 1 --encoder-epochs 2
             --threads 1) ;;
  *) echo "the device must be gpu or cpu, but is '$device'" >&2; exit 2 ;;
esac

cmkt train-lm --text "$text/zh-spoken.txt.xz" "$text/zh-written.txt.xz" --held-out "$text/zh-heldout.txt.xz" \
  --neighbours 今 好 北京 老师 因为 电影 法院 --accelerator "$device" --output "$output" "${size[@]}"

rm -rf "$package/encoder" "$package/decoder"
cp -r "$output/encoder" "$output/decoder" "$package/"
cp "$output/README.md" "$package/report.md"
du -sh "$package"
