# Steps of a study, each left out where it is done and gone on with where it was stopped. Sourced by the scripts of studies,
# which set `corpus`, the folder of lists of speech and noise, `out`, and `data`, the folder of prepared ones.
export OMP_NUM_THREADS=1 # the loader has the other core

english='^(?!aishell)' # the AISHELL sample pack does not state its licence: nothing that ships is trained on it
mandarin='^aishell'
group=(--noise-group '^.*\d') # excerpts of one recording stay together

prepare() { # name below `data`, speech list, which of it, noise list, more options
  [ -f "$data/$1/report.json" ] && return
  cmkt prepare jsonl --speech "$corpus/$2" --speech-ids "$3" --noise "$corpus/$4" --output "$data/$1" "${@:5}"
}

fit() { # run below `out`, configs and options
  local run=$out/$1 resume=()
  [ -f "$run/enhancer/model.json" ] && return
  [ -f "$run/checkpoints/last.ckpt" ] && resume=(--ckpt_path "$run/checkpoints/last.ckpt")
  cmkt fit "${@:2}" --data.train "$data/train" --data.dev "$data/dev" --output "$run" "${resume[@]}"
}
