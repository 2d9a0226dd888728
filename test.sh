#!/usr/bin/env bash
# The project's tests, on any machine: see --help.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly root
readonly hang_timeout=${SAGAS_TEST_HANG_TIMEOUT:-10m}
readonly postgres_image=postgres:17 rabbitmq_image=rabbitmq:4-management

usage() {
  cat <<'TEXT'
Usage: ./test.sh [--quick | --chaos] [--repeat N] [--filter EXPRESSION] [--help]

Installs what is missing (PostgreSQL and RabbitMQ, with apt-get), builds, and runs the tests under tests/ against
private servers on free loopback ports. Ends with the line "N passed, N failed, N skipped"; the exit code is 0 only
when something ran and nothing failed.

  (none)               everything but the long kill tests
  --quick              the in-memory tests and one smoke test per feature on real servers
  --chaos              the long kill tests: processes killed, broker and database restarted, books balanced
  --repeat N           run N times, then list each test that failed with how often it did and its seeds
  --filter EXPRESSION  only the tests that "dotnet test --filter" selects, such as FullyQualifiedName~Payment
  --help               this text

A test that uses random numbers prints "SAGAS_TEST_SEED=N"; set that variable to run it with the same numbers.

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

mode=all
repeat=1
filter=
while [ $# -gt 0 ]; do
  case $1 in
    --quick) mode=quick ;;
    --chaos) mode=chaos ;;
    --repeat) [ $# -ge 2 ] || { usage >&2; exit 2; }; repeat=$2; shift ;;
    --repeat=*) repeat=${1#--repeat=} ;;
    --filter) [ $# -ge 2 ] || { usage >&2; exit 2; }; filter=$2; shift ;;
    --filter=*) filter=${1#--filter=} ;;
    --help | -h) usage; exit 0 ;;
    *) echo "test.sh: unknown argument '$1'" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
[[ $repeat =~ ^[1-9][0-9]*$ ]] || { echo "test.sh: --repeat takes a whole number from 1" >&2; exit 2; }

readonly compiler=sagas-test-$$
results=
memory=
servers=
runners=()
containers=()
clean_up() {
  [ ${#runners[@]} -eq 0 ] || kill "${runners[@]}" 2>/dev/null
  exec 9>&-
  [ -z "$servers" ] || wait "$servers" 2>/dev/null
  pkill -f -- "-pipename:$compiler" 2>/dev/null
  [ -z "$results" ] || rm -rf -- "$results"
  [ -z "$memory" ] || rm -rf -- "$memory"
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

# The servers' files in memory where there is room: tests kill processes, not the machine's power supply.
choose_directory() {
  local free
  free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
  [ "${free:-0}" -lt $((8 * 1024 * 1024)) ] || memory=$(mktemp -d /dev/shm/sagas-test.XXXXXX)
  [ -z "$memory" ] || chmod 755 "$memory"
}

# With a compiler that stays for the whole build, which halves what that costs, and ends with this script. It would hold
# on to the output of whoever reads this script's.
compile() {
  dotnet build "$1" -c Release -nologo --verbosity quiet -clp:ErrorsOnly -p:UseSharedCompilation=true -p:SharedCompilationId="$compiler" \
    </dev/null >"$results/build.log" 2>&1 9>&- || { cat "$results/build.log" >&2; fail "the build failed: see above."; }
}

# The servers start while the solution is built.
start_servers() {
  [ -z "${SAGAS_TEST_POSTGRES:-}" ] || [ -z "${SAGAS_TEST_RABBITMQ:-}" ] || return 0
  compile "$root/tests/TestServers"
  # The servers end with the pipe that they read, however this script ends.
  mkfifo "$results/hold"
  TMPDIR=${memory:-${TMPDIR:-/tmp}} dotnet "$root/tests/TestServers/bin/Release/net10.0/Sagas.TestServers.dll" \
    <"$results/hold" >"$results/servers" 2>"$results/servers.log" &
  servers=$!
  exec 9>"$results/hold"
}

use_servers() {
  [ -n "$servers" ] || return 0
  local given_postgres=${SAGAS_TEST_POSTGRES:-} given_rabbitmq=${SAGAS_TEST_RABBITMQ:-} given_management=${SAGAS_TEST_RABBITMQ_MANAGEMENT:-}
  until grep -q '^SAGAS_TEST_RABBITMQ_MANAGEMENT=' "$results/servers"; do
    kill -0 "$servers" 2>/dev/null || { cat "$results/servers.log" >&2; fail "PostgreSQL and RabbitMQ did not start: see above."; }
    sleep 0.2
  done
  # shellcheck disable=SC1091
  . "$results/servers"
  [ -z "$given_postgres" ] || SAGAS_TEST_POSTGRES=$given_postgres
  [ -z "$given_rabbitmq" ] || { SAGAS_TEST_RABBITMQ=$given_rabbitmq SAGAS_TEST_RABBITMQ_MANAGEMENT=$given_management; }
  export SAGAS_TEST_POSTGRES SAGAS_TEST_RABBITMQ SAGAS_TEST_RABBITMQ_MANAGEMENT
}

build() {
  echo "Building ..."
  compile "$root/Sagas.sln"
}

# What the run of one project selects. The in-memory tests are all quick.
selection() {
  case $mode in
    chaos) echo "Category=ChaosFull${filter:+&($filter)}" ;;
    quick) [ "$1" = Sagas.UnitTests ] && echo "${filter:-Category!=ChaosFull}" || echo "Category=Smoke${filter:+&($filter)}" ;;
    *) echo "Category!=ChaosFull${filter:+&($filter)}" ;;
  esac
}

run_project() {
  local name=$1 run=$2 verbosity=minimal timeout=$hang_timeout
  # The kill tests say what they do, and take their time on a small machine.
  [ "$mode" != chaos ] || verbosity=detailed timeout=${SAGAS_TEST_HANG_TIMEOUT:-60m}
  echo "Running $name ..."
  # Code that runs for minutes does not earn back what profiling it and collecting garbage beside it cost two processors.
  DOTNET_TieredPGO=0 DOTNET_gcConcurrent=0 TMPDIR=${memory:-${TMPDIR:-/tmp}} dotnet test "$root/tests/${name#Sagas.}/$name.csproj" --no-build -c Release -nologo \
    --filter "$(selection "$name")" --results-directory "$results/$run/$name" \
    --logger "console;verbosity=$verbosity" --logger "trx;LogFileName=$name.trx" \
    --blame-hang-timeout "$timeout" --blame-hang-dump-type none </dev/null 2>&1 9>&- |
    grep -v -e '^$' -e '^Test run for ' -e '^A total of ' -e "^Data collector 'Blame'" -e '^Results File: ' -e '^No test '
  return "${PIPESTATUS[0]}"
}

# One number of the line <Counters total="3" executed="2" passed="2" failed="0" .../> of each result file, summed up.
count() {
  local of=$1 files=$2 sum=0 number
  for number in $(cat $files 2>/dev/null | grep -o '<Counters [^>]*' | grep -o " $of=\"[0-9]*\"" | grep -o '[0-9]\+'); do
    sum=$((sum + number))
  done
  echo "$sum"
}

# A run that failed without a failed test crashed, hung or could not begin: that must not pass for success.
run_and_judge() {
  local name=$1 run=$2
  run_project "$name" "$run" || [ "$(count failed "$results/$run/$name/$name.trx")" -gt 0 ] || {
    echo "test.sh: the run of $name broke off."
    echo "$name" >>"$results/broken"
  }
}

# Each failed test with how often it failed and the seeds that its output names.
list_failed() {
  cat "$results"/*/*/*.trx 2>/dev/null | awk '
    function unescape(text) { gsub(/&quot;/, "\"", text); gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&amp;/, "\\&", text); return text }
    /<UnitTestResult / {
      test = ""
      if ($0 ~ / outcome="Failed"/ && match($0, / testName="[^"]*"/)) { test = substr($0, RSTART + 11, RLENGTH - 12); failed[test]++ }
    }
    test != "" {
      line = $0
      while (match(line, /SAGAS_TEST_SEED=[0-9]+/)) {
        seed = substr(line, RSTART, RLENGTH)
        if (index(seeds[test] " ", " " seed " ") == 0) seeds[test] = seeds[test] " " seed
        line = substr(line, RSTART + RLENGTH)
      }
    }
    /<\/UnitTestResult>/ { test = "" }
    END { for (name in failed) printf "  %s (%d of %d)%s\n", unescape(name), failed[name], runs, seeds[name] }' runs="$repeat" - |
    sort >"$results/failed"
  [ ! -s "$results/failed" ] || { printf '\nFailed:\n'; cat "$results/failed"; }
}

main() {
  local name run names=(Sagas.UnitTests Sagas.IntegrationTests Sagas.EndToEndTests) passed failed skipped
  [ "$mode" != chaos ] || names=(Sagas.EndToEndTests)
  find_dotnet
  provide_servers
  results=$(mktemp -d)
  choose_directory
  start_servers
  build
  pkill -f -- "-pipename:$compiler" 2>/dev/null
  use_servers

  for ((run = 1; run <= repeat; run++)); do
    [ "$repeat" -eq 1 ] || echo "Run $run of $repeat ..."
    # Side by side: the in-memory tests use a processor while the others wait for servers.
    for name in "${names[@]}"; do
      run_and_judge "$name" "$run" &
      runners+=($!)
    done
    wait "${runners[@]}"
    runners=()
  done

  passed=$(count passed "$results/*/*/*.trx")
  failed=$(($(count failed "$results/*/*/*.trx") + $(cat "$results/broken" 2>/dev/null | wc -l)))
  skipped=$(($(count total "$results/*/*/*.trx") - $(count executed "$results/*/*/*.trx")))
  list_failed
  [ -z "${SAGAS_TEST_RESULTS:-}" ] || cp -r "$results"/. "$SAGAS_TEST_RESULTS"
  [ $((passed + failed)) -gt 0 ] || echo "test.sh: no test ran."
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

main
