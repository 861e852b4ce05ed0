#!/bin/sh
# Runs a stage, with its arguments, by the interpreter of the `dvc` that asks for it: nobody has to activate an environment.
# That interpreter is looked for among the ancestors of this process, as there may be a shell in between; where DVC has its own
# environment (pipx, a package of the system), or there is no DVC, the `python` on PATH is used.
set -eu

has_packages() {
  "$1" -c "import sys; from importlib.util import find_spec; sys.exit(not (find_spec('torch') and find_spec('pyarrow')))" 2>/dev/null
}

interpreter_of_dvc() {
  process=$PPID
  for _ in 1 2 3; do
    [ -r "/proc/$process/status" ] || return 0 # the parent of process 1, or a system without /proc
    name=$(tr '\0' '\n' <"/proc/$process/cmdline" 2>/dev/null | head -n 1)
    # a relative one leads from where dvc runs, or, since dvc moves into the copy of an experiment, from the repository
    case $name in
      /*python*) [ -x "$name" ] && echo "$name" && return ;;
      *python*/* | */*python*)
        for folder in "$(readlink "/proc/$process/cwd")" "${DVC_ROOT:-.}"; do
          [ -x "$folder/$name" ] && echo "$folder/$name" && return
        done
        ;;
    esac
    process=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$process/status" 2>/dev/null)
  done
}

of_dvc=$(interpreter_of_dvc)
for python in "$of_dvc" "$(command -v python || true)"; do
  if [ -n "$python" ] && has_packages "$python"; then
    stage=$1
    shift
    PATH=$(dirname "$python"):$PATH PYTHONPATH=src exec "$python" -m "stages.$stage" "$@"
  fi
done
echo "error: no environment with the packages of pyproject.toml: neither the interpreter of dvc (${of_dvc:-not found}) nor python of PATH" \
  "($(command -v python || echo none)) has them; run \`make setup\`, then \`.venv/bin/dvc repro\`" >&2
exit 1
