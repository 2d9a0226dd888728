#!/usr/bin/env bash
# Installs PostgreSQL and RabbitMQ where they are missing: for test.sh, which sources this, and for `sagas demo`.

install_usage() {
  cat <<'TEXT'
Usage: scripts/install-servers.sh [--yes] [postgresql] [rabbitmq-server]

Installs the servers that are named (without a name: both) and missing, with apt-get or Homebrew. Their system services
are neither started nor enabled. In a terminal it asks first; elsewhere it needs --yes.
TEXT
}

has() { command -v "$1" >/dev/null 2>&1; }

# SAGAS_SERVERS_ROOT stands for / in tests of this script.
has_postgres() {
  has initdb || compgen -G "${SAGAS_SERVERS_ROOT:-}/usr/lib/postgresql/*/bin/initdb" >/dev/null ||
    compgen -G "${SAGAS_SERVERS_ROOT:-}/opt/homebrew/opt/postgresql@*/bin/initdb" >/dev/null ||
    compgen -G "${SAGAS_SERVERS_ROOT:-}/usr/local/opt/postgresql@*/bin/initdb" >/dev/null
}

has_rabbitmq() {
  has rabbitmq-server || [ -x "${SAGAS_SERVERS_ROOT:-}/usr/lib/rabbitmq/bin/rabbitmq-server" ] ||
    [ -x "${SAGAS_SERVERS_ROOT:-}/opt/homebrew/sbin/rabbitmq-server" ]
}

is_installed() { if [ "$1" = postgresql ]; then has_postgres; else has_rabbitmq; fi; }

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

can_be_root() { [ "$(id -u)" -eq 0 ] || { has sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }; }

# Names what installs packages here; fails where nothing does.
installer() {
  if has apt-get && can_be_root; then echo apt-get
  elif has brew; then echo brew
  else return 1
  fi
}

# The packages would start their services and make a database cluster, which nobody here needs: policy-rc.d is Debian's
# way to say no to the first, createcluster.conf to the second. Neither stays.
apt_install() {
  as_root bash -s -- "$@" <<'ROOT'
    made=()
    trap 'rm -f "${made[@]}"' EXIT
    make() { [ -e "$1" ] || { made+=("$1"); mkdir -p "${1%/*}"; cat >"$1"; }; }
    root=${SAGAS_SERVERS_ROOT:-}
    make "$root/usr/sbin/policy-rc.d" <<<$'#!/bin/sh\nexit 101' && chmod +x "$root/usr/sbin/policy-rc.d"
    make "$root/etc/postgresql-common/createcluster.conf" <<<'create_main_cluster = false'
    log=$(mktemp)
    made+=("$log")
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -qq --no-install-recommends "$@" </dev/null >"$log" 2>&1 ||
      { apt-get update -qq </dev/null && apt-get install -y -qq --no-install-recommends "$@" </dev/null >"$log" 2>&1; }
    code=$?
    [ $code -eq 0 ] || tail -n 20 "$log" >&2
    exit $code
ROOT
}

brew_install() {
  local package packages=()
  for package in "$@"; do
    case $package in
      postgresql) packages+=(postgresql@17) ;;
      rabbitmq-server) packages+=(rabbitmq) ;;
    esac
  done
  brew install --quiet "${packages[@]}" </dev/null
}

install_servers() {
  local with
  with=$(installer) || {
    echo "Cannot install $*: neither apt-get (as root, or with sudo) nor Homebrew is available." >&2
    echo "Install PostgreSQL and RabbitMQ by hand (Debian: 'apt-get install postgresql rabbitmq-server'; macOS: 'brew install postgresql@17 rabbitmq')." >&2
    return 1
  }
  echo "Installing $* with $with ..."
  if [ "$with" = apt-get ]; then apt_install "$@"; else brew_install "$@"; fi || {
    echo "$with could not install $*: see above." >&2
    return 1
  }
}

install_main() {
  local yes= missing=() server servers=() answer
  while [ $# -gt 0 ]; do
    case $1 in
      --yes | -y) yes=1 ;;
      postgresql | rabbitmq-server) servers+=("$1") ;;
      --help | -h) install_usage; return 0 ;;
      *) echo "install-servers.sh: unknown argument '$1'" >&2; install_usage >&2; return 2 ;;
    esac
    shift
  done
  [ ${#servers[@]} -gt 0 ] || servers=(postgresql rabbitmq-server)
  for server in "${servers[@]}"; do
    is_installed "$server" || missing+=("$server")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ -z "$yes" ]; then
    if ! [ -t 0 ]; then
      echo "Missing: ${missing[*]}. Run again with --yes to install." >&2
      return 1
    fi
    read -r -p "Missing: ${missing[*]}. Install now? [Y/n] " answer
    case $answer in
      '' | [Yy] | [Yy]es) ;;
      *) return 1 ;;
    esac
  fi
  install_servers "${missing[@]}"
}

# --- containers for tests ---------------------------------------------------------------------------------------
# For a script that sources this: it has the array containers, which it removes when it ends, and the function fail.

readonly postgres_image=postgres:17 rabbitmq_image=rabbitmq:4-management

has_docker() { has docker && docker info >/dev/null 2>&1; }

run_container() {
  local id
  id=$(docker run --detach "$@") || fail "could not start a container: docker run $*"
  containers+=("$id")
  container=$id
}

loopback_port() { docker port "$1" "$2" | sed -n 's/^127\.0\.0\.1://p' | head -n 1; }

wait_for() {
  local deadline=$((SECONDS + 120)) what=$1
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "$what did not start within two minutes."
    sleep 0.5
  done
}

start_containers() {
  local container password
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  if [ -z "${SAGAS_TEST_POSTGRES:-}" ]; then
    echo "Starting PostgreSQL in a container ..."
    run_container --publish 127.0.0.1::5432 --env POSTGRES_USER=sagas --env POSTGRES_PASSWORD="$password" "$postgres_image" -c max_connections=300
    # The image first runs a server for its own set-up, on a socket only: asked over TCP, the real one answers.
    wait_for PostgreSQL docker exec "$container" pg_isready --host 127.0.0.1 --username sagas
    SAGAS_TEST_POSTGRES="Host=127.0.0.1;Port=$(loopback_port "$container" 5432);Username=sagas;Password=$password;Database=postgres"
    export SAGAS_TEST_POSTGRES
  fi
  if [ -z "${SAGAS_TEST_RABBITMQ:-}" ]; then
    echo "Starting RabbitMQ in a container ..."
    run_container --publish 127.0.0.1::5672 --publish 127.0.0.1::15672 --env RABBITMQ_DEFAULT_USER=sagas --env RABBITMQ_DEFAULT_PASS="$password" "$rabbitmq_image"
    wait_for RabbitMQ docker exec "$container" rabbitmq-diagnostics check_port_connectivity
    SAGAS_TEST_RABBITMQ="amqp://sagas:$password@127.0.0.1:$(loopback_port "$container" 5672)/"
    SAGAS_TEST_RABBITMQ_MANAGEMENT="http://127.0.0.1:$(loopback_port "$container" 15672)/"
    export SAGAS_TEST_RABBITMQ SAGAS_TEST_RABBITMQ_MANAGEMENT
  fi
}

[ "${BASH_SOURCE[0]}" != "$0" ] || install_main "$@"
