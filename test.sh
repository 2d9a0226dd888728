#!/usr/bin/env bash
# The project's tests, on any machine: see --help.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly root
readonly hang_timeout=${SAGAS_TEST_HANG_TIMEOUT:-10m}
readonly postgres_image=postgres:17 rabbitmq_image=rabbitmq:4-management

usage() {
  cat <<'TEXT'
Usage: ./test.sh [--chaos] [--filter EXPRESSION] [--help]

Installs what is missing (PostgreSQL and RabbitMQ, with apt-get), builds, and runs every test under tests/ against
private servers on free loopback ports. Ends with the line "N passed, N failed, N skipped"; the exit code is 0 only
when something ran and nothing failed.

  --chaos              only the long kill test: processes killed, broker and database restarted, books balanced
  --filter EXPRESSION  only the tests that "dotnet test --filter" selects, such as FullyQualifiedName~Payment
  --help               this text

Without apt-get, but with Docker, PostgreSQL and RabbitMQ run in containers. To use servers of your own, set
  SAGAS_TEST_POSTGRES             an Npgsql connection string with the right to create databases
  SAGAS_TEST_RABBITMQ             an AMQP address, such as amqp://user:password@localhost:5672/
  SAGAS_TEST_RABBITMQ_MANAGEMENT  its management plugin, where that is not at port 15672 of the same host
SAGAS_TEST_HANG_TIMEOUT (10m; with --chaos 60m) is how long one test may run before the run is ended.
TEXT
}

fail() {
  echo "test.sh: $*" >&2
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

chaos=false
filter=
while [ $# -gt 0 ]; do
  case $1 in
    --chaos) chaos=true ;;
    --filter) [ $# -ge 2 ] || { usage >&2; exit 2; }; filter=$2; shift ;;
    --filter=*) filter=${1#--filter=} ;;
    --help | -h) usage; exit 0 ;;
    *) echo "test.sh: unknown argument '$1'" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

results=
containers=()
clean_up() {
  [ -z "$results" ] || rm -rf -- "$results"
  [ ${#containers[@]} -eq 0 ] || docker rm --force --volumes "${containers[@]}" >/dev/null 2>&1
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- .NET -------------------------------------------------------------------------------------------------------

find_dotnet() {
  has dotnet || { [ -x "$HOME/.dotnet/dotnet" ] && PATH="$HOME/.dotnet:$PATH"; }
  has dotnet && dotnet --list-sdks 2>/dev/null | grep -Eq '^10\.' ||
    fail "the .NET 10 SDK is missing: install it from https://dotnet.microsoft.com/download/dotnet/10.0 and run again."
}

# --- PostgreSQL and RabbitMQ ------------------------------------------------------------------------------------

has_postgres() { has initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || compgen -G '/opt/homebrew/opt/postgresql@*/bin/initdb' >/dev/null; }

has_rabbitmq() { [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || has rabbitmq-server || [ -x /opt/homebrew/sbin/rabbitmq-server ]; }

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

can_be_root() { [ "$(id -u)" -eq 0 ] || { has sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }; }

# The packages would start their services and make a database cluster, which the tests do not need: policy-rc.d is
# Debian's way to say no to the first, createcluster.conf to the second. Neither stays.
apt_install() {
  echo "Installing $* ..."
  as_root bash -s -- "$@" <<'ROOT'
    made=()
    trap 'rm -f "${made[@]}"' EXIT
    make() { [ -e "$1" ] || { made+=("$1"); mkdir -p "${1%/*}"; cat >"$1"; }; }
    make /usr/sbin/policy-rc.d <<<$'#!/bin/sh\nexit 101' && chmod +x /usr/sbin/policy-rc.d
    make /etc/postgresql-common/createcluster.conf <<<'create_main_cluster = false'
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

provide_servers() {
  local missing=()
  [ -n "${SAGAS_TEST_POSTGRES:-}" ] || has_postgres || missing+=(postgresql)
  [ -n "${SAGAS_TEST_RABBITMQ:-}" ] || has_rabbitmq || missing+=(rabbitmq-server)
  [ ${#missing[@]} -gt 0 ] || return 0
  if has apt-get && can_be_root; then
    apt_install "${missing[@]}" || fail "apt-get could not install ${missing[*]}: see above."
  elif has docker && docker info >/dev/null 2>&1; then
    start_containers
  elif has apt-get; then
    fail "${missing[*]} missing: run 'apt-get install ${missing[*]}' as root and run again."
  else
    fail "PostgreSQL and RabbitMQ are missing, and there is neither apt-get nor a running Docker to get them with: install both (on macOS: brew install postgresql@17 rabbitmq) or start Docker, and run again."
  fi
}

# --- build and run ----------------------------------------------------------------------------------------------

build() {
  echo "Building ..."
  dotnet build "$root/Sagas.sln" -c Release -nologo --verbosity quiet -clp:ErrorsOnly </dev/null || fail "the build failed: see above."
}

# What the run of one project selects: never the long chaos tests, unless they are what was asked for.
selection() {
  if $chaos; then
    echo "Category=ChaosFull${filter:+&($filter)}"
  else
    echo "Category!=ChaosFull${filter:+&($filter)}"
  fi
}

run_project() {
  local project=$1 name verbosity=minimal patience=$hang_timeout
  name=$(basename "$project" .csproj)
  # The kill test says what it did, and takes its time on a small machine.
  $chaos && verbosity=detailed patience=${SAGAS_TEST_HANG_TIMEOUT:-60m}
  echo "Running $name ..."
  dotnet test "$project" --no-build -c Release -nologo --filter "$(selection)" --results-directory "$results/$name" \
    --logger "console;verbosity=$verbosity" --logger "trx;LogFileName=$name.trx" \
    --blame-hang-timeout "$patience" --blame-hang-dump-type none </dev/null 2>&1 | grep -v -e '^$' -e '^Test run for ' -e '^A total of ' -e "^Data collector 'Blame'" -e '^Results File: ' -e '^No test '
  return "${PIPESTATUS[0]}"
}

# One number of the line <Counters total="3" executed="2" passed="2" failed="0" .../> of each result file, summed up.
count() {
  local of=$1 sum=0 number
  for number in $(cat "$results"/*/*.trx 2>/dev/null | grep -o '<Counters [^>]*' | grep -o " $of=\"[0-9]*\"" | grep -o '[0-9]\+'); do
    sum=$((sum + number))
  done
  echo "$sum"
}

list_failed() {
  local names
  names=$(cat "$results"/*/*.trx 2>/dev/null | grep -o '<UnitTestResult [^>]*outcome="Failed"[^>]*' | grep -o ' testName="[^"]*"' | sed 's/^ testName="/  /; s/"$//; s/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g')
  [ -z "$names" ] || printf '\nFailed:\n%s\n' "$names"
}

main() {
  local project broken=0 passed failed skipped
  find_dotnet
  provide_servers
  build
  results=$(mktemp -d)

  local projects=("$root"/tests/*Tests/*.csproj)
  $chaos && projects=("$root"/tests/EndToEndTests/*.csproj)
  for project in "${projects[@]}"; do
    local before
    before=$(count failed)
    # A run that failed without a failed test crashed, hung or could not begin: that must not pass for success.
    if ! run_project "$project" && [ "$(count failed)" -eq "$before" ]; then
      echo "test.sh: the run of $(basename "$project" .csproj) broke off."
      broken=$((broken + 1))
    fi
  done

  passed=$(count passed)
  failed=$(($(count failed) + broken))
  skipped=$(($(count total) - $(count executed)))
  list_failed
  [ $((passed + failed)) -gt 0 ] || echo "test.sh: no test ran."
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

main
