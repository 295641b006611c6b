# shellcheck shell=bash
# Sourced by scripts/serve and scripts/test: the virtual environment with this checkout in it, and Debian packages.
# All that is said here goes to stderr: stdout belongs to the command that is run in the end.

say() {
  printf '%s: %s\n' "scripts/${0##*/}" "$*" >&2
}

die() {
  say "$@"
  exit 1
}

# Install Debian packages where that is allowed; otherwise say which are missing, and fail.
apt_install() {
  local as_root=()
  if ! command -v apt-get >/dev/null; then
    say "missing here: $*; there is no apt-get, so please install what your system calls them"
    return 1
  fi
  if [ "$(id -u)" != 0 ]; then
    as_root=(sudo -n)
    if ! "${as_root[@]}" true 2>/dev/null; then
      say "missing here: $*; as that takes root, please run: sudo apt-get install $*"
      return 1
    fi
  fi
  say "installing $*"
  {
    "${as_root[@]}" apt-get update -qq &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$@"
  } </dev/null >&2 || {
    say "apt-get could not install $*"
    return 1
  }
}

# Print the first Python that is new enough.
find_python() {
  local name
  for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  die "needs Python 3.11 or later; another one than python3 can be named: PYTHON=python3.12 scripts/${0##*/}"
}

make_venv() {
  local python clear=()
  python=$(find_python)
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    # Debian leaves both out of its python3, and has a package of them for each version.
    apt_install "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" || exit 1
  fi
  if [ -e "$VENV/pyvenv.cfg" ]; then
    clear=(--clear) # of another Python, or broken; what is not an environment is never cleared
  fi
  say "making a virtual environment in $VENV"
  "$python" -m venv "${clear[@]}" "$VENV"
}

# Have this checkout, with extras ("" or "[dev]"), installed in $VENV; do nothing where it already is.
install_checkout() {
  local root=$1 extras=$2 wanted stamp
  VENV=${VENV:-$root/.venv}
  case $VENV in
    /*) ;;
    *) VENV=$PWD/$VENV ;;
  esac
  stamp=$VENV/installed
  wanted="$VENV holds $root of $(cksum <"$root/pyproject.toml")"
  if "$VENV/bin/python" -c '' 2>/dev/null; then
    # The extras stand last, so that whoever wants none is content with any.
    case $(cat "$stamp" 2>/dev/null) in
      "$wanted"*"$extras") return ;;
    esac
  else
    make_venv
  fi
  say "installing the package and what it needs (once, and whenever pyproject.toml changes)"
  "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --no-compile --editable "$root$extras" >&2 ||
    die "pip could not install the package; the first time it needs the network"
  # Compiled once, and by all cores, where pip uses one: with PYTHONDONTWRITEBYTECODE set, Python itself never would.
  "$VENV/bin/python" -m compileall -qq -j 0 "$root/sandbox" "$VENV/lib" >&2 || true
  echo "$wanted $extras" >"$stamp"
}
