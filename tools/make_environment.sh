#!/bin/sh
# Makes the project's virtual environment, or leaves it alone if it is up to date.
#
#   sh tools/make_environment.sh VENV EXTRAS ASKED_PYTHON [PIP_ARGUMENTS...]
#
# ASKED_PYTHON is the interpreter that the user named (make PYTHON=python3.12), empty if none was named: then an environment that
# exists keeps its interpreter, and a new one takes python3. An environment of another Python version than the one asked for, or one
# that was left half made or moved, is made anew. VENV/.installed records a digest of the pins and arguments, and the extras.
#
# Without an NVIDIA driver, and without the extra gpu, torch comes from PyTorch's own index of CPU builds, which spares some 3 GB of
# CUDA libraries, unless pip's configuration names an index or find-links, or SNOWCODER_TORCH_INDEX is set to nothing.
set -eu
venv=$1 asked=$3
extras=$(printf %s "$2" | tr -s ' ,' ',')
shift 3
torch_index=${SNOWCODER_TORCH_INDEX-https://download.pytorch.org/whl/cpu}
version_of='import sys; print("%d.%d" % sys.version_info[:2])'

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

# Say no by name before anything is made: pip's own refusal does not mention Python
check_python() {
  command -v "$1" >/dev/null || fail "$1: not found; name an installed Python 3.11, 3.12 or 3.13: make PYTHON=python3.12 ..."
  version=$("$1" -c "$version_of" 2>&1) || fail "$1: does not start ($version); name another one: make PYTHON=python3.12 ..."
  case $version in
    3.11 | 3.12 | 3.13) ;;
    *) fail "$1 is Python $version; snowcoder needs 3.11, 3.12 or 3.13: name an installed one, for example make PYTHON=python3.12 ..." ;;
  esac
  "$1" -c 'import ensurepip, venv' 2>/dev/null || fail "$1 cannot make environments: apt install python$version-venv"
}

# pip only warns of an extra that there is not
for extra in $(printf %s "$extras" | tr ',' ' '); do
  known=$(sed -n '/^\[project.optional-dependencies\]/,/^\[/s/^\([a-z0-9_-]*\) = .*/\1/p' pyproject.toml)
  printf '%s\n' "$known" | grep -qx -e "$extra" ||
    fail "EXTRAS: found '$extra'; allowed: $(echo $known), joined by commas: make EXTRAS=dev,gpu ..."
done

digest() {
  { cat pyproject.toml constraints.txt; echo "$@"; } | cksum
}

needs_cuda() {
  case ",$extras," in *,gpu,*) return 0 ;; esac
  [ -e /proc/driver/nvidia/version ] || [ -e /dev/dxg ] || command -v nvidia-smi >/dev/null
}

pip_knows_where() {
  "$venv/bin/python" -m pip config list 2>/dev/null | grep -qE '(index-url|find-links)='
}

# Run pip with its output in a log; a person sees the end of it if pip fails
run_pip() {
  "$venv/bin/python" -m pip install --disable-pip-version-check --progress-bar off "$@" >>"$venv/install.log" 2>&1
}

# Scripts name the interpreter by its whole path (in their second line, if it is long or has blanks): after the folder was moved they
# start nothing, and those of a copy start what it was copied from
script_interpreter=$(sed -n "1s/^#!//p; 2s/^'''exec' \"*\([^\"]*[^\" ]\)\"* \"\$0\".*/\1/p" "$venv/bin/pip" 2>/dev/null | tail -n 1)
is_here() { [ -x "$script_interpreter" ] && [ "$(dirname "$script_interpreter")" -ef "$venv/bin" ]; }
have=$(is_here && "$venv/bin/python" -c "$version_of; import pip" 2>/dev/null) || have=
wanted=$have
[ -z "$asked" ] || { check_python "$asked" && wanted=$version; }
recorded=$(cat "$venv/.installed" 2>/dev/null) || recorded=
if [ -n "$have" ] && [ "$have" = "$wanted" ] && [ "${recorded%% extras *}" = "$(digest "$@")" ]; then
  case ",${recorded##* extras }," in *",$extras,"*) exit 0 ;; esac
fi

if [ -z "$have" ] || [ "$have" != "$wanted" ]; then
  python=${asked:-python3}
  check_python "$python"
  [ -z "$have" ] || echo "$venv is of Python $have; making it anew with Python $version" >&2
  "$python" -m venv --clear "$venv"
fi
rm -f "$venv/.installed"
echo "installing .[$extras] into $venv (some minutes; log: $venv/install.log)" >&2
: >"$venv/install.log"
if [ -n "$torch_index" ] && ! needs_cuda && ! pip_knows_where; then
  echo "no NVIDIA driver here: taking torch's CPU build from $torch_index (SNOWCODER_TORCH_INDEX= takes the package index's)" >&2
  run_pip --index-url "$torch_index" --retries 1 --no-deps -c constraints.txt torch ||
    echo "$torch_index has no torch for this machine (see the log); the package index's build is taken, with its CUDA libraries" >&2
fi
if ! run_pip -c constraints.txt "$@" -e ".[$extras]"; then
  tail -n 25 "$venv/install.log" >&2
  fail "pip could not install .[$extras] with $("$venv/bin/python" --version); the whole log is $venv/install.log"
fi
printf '%s extras %s\n' "$(digest "$@")" "$extras" >"$venv/.installed"
