#!/usr/bin/env bash
# The project's tests, on any machine: see --help.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly root
readonly hang_timeout=${SAGAS_TEST_HANG_TIMEOUT:-10m}

usage() {
  cat <<'TEXT'
Usage: ./test.sh [--quick | --chaos] [--repeat N] [--filter EXPRESSION] [--help]

Installs what is missing (PostgreSQL and RabbitMQ, with scripts/install-servers.sh), builds, and runs the tests under
tests/ against private servers on free loopback ports. Ends with the line "N passed, N failed, N skipped"; the exit code is 0 only
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
SAGAS_TEST_ANALYZERS=true builds with the analyzers, as .ci/run does.
SAGAS_TEST_HANG_TIMEOUT (10m; with --chaos 60m) is how long one test may run before the run is ended.
TEXT
}

fail() {
  echo "test.sh: $*" >&2
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

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
runner=
containers=()
clean_up() {
  [ -z "$runner" ] || kill "$runner" 2>/dev/null
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

# shellcheck source=scripts/install-servers.sh
. "$root/scripts/install-servers.sh"

provide_servers() {
  local missing=()
  [ -n "${SAGAS_TEST_POSTGRES:-}" ] || has_postgres || missing+=(postgresql)
  [ -n "${SAGAS_TEST_RABBITMQ:-}" ] || has_rabbitmq || missing+=(rabbitmq-server)
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(installer)" = apt-get ] || ! has_docker; then
    install_servers "${missing[@]}" || fail "${missing[*]} missing: see above."
  else
    start_containers
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

# With a compiler that stays for the whole build, which halves what that costs, and ends with this script. The analyzers
# would double what is left: .ci/run asks for them, and every other build runs them. The compiler would keep the caller's
# standard output open, hence the file.
compile() {
  dotnet build "$1" -c Release -nologo --verbosity quiet -clp:ErrorsOnly -p:RunAnalyzersDuringBuild="${SAGAS_TEST_ANALYZERS:-false}" \
    -p:UseSharedCompilation=true -p:SharedCompilationId="$compiler" \
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
  DOTNET_DbgEnableMiniDump=1 DOTNET_EnableCrashReportOnly=1 DOTNET_DbgMiniDumpName="$results/crash.%p" \
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

# A process that the kernel killed for want of memory leaves no report; one that crashed does.
describe_crash() {
  free -m 2>/dev/null
  dmesg 2>/dev/null | grep -i 'out of memory' | tail -n 3
  find "$results" -name 'crash.*' -exec head -c 5000 {} +
}

# A run that failed without a failed test crashed, hung or could not begin: that must not pass for success.
run_and_judge() {
  local name=$1 run=$2
  run_project "$name" "$run" || [ "$(count failed "$results/$run/$name/$name.trx")" -gt 0 ] || {
    echo "test.sh: the run of $name broke off."
    describe_crash
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
    # One after the other: each project's tests keep the processors busy, and side by side they take longer than that.
    for name in "${names[@]}"; do
      # In the background: bash handles a signal only where it waits.
      run_and_judge "$name" "$run" &
      runner=$!
      wait "$runner"
      runner=
    done
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

# On one line: bash reads a script as it goes, and this one may be edited meanwhile.
main; exit
