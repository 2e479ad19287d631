#!/usr/bin/env bash
# Measures every bar and writes perf-results/<cpu>/. Takes under 20 minutes on two cores; wants gcc for the C baselines.
# usage: bench/run.sh [--results FOLDER] [--rounds N] [--largest PAGES] [--filter TEXT] [--exact-only]
#   --exact-only: bars that time decides may fail (small sizes, busy machines); counts may not, and everything must run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
results=perf-results rounds="" largest="" filter="" passed=()
while [ $# -gt 0 ]; do
  case $1 in
    --results) results=$2; shift ;;
    --rounds) rounds=$2; passed+=("$1" "$2"); shift ;;
    --largest) largest=$2; shift ;;
    --filter) filter=$2; passed+=("$1" "$2"); shift ;;
    --exact-only) passed+=("$1") ;;
    *) echo "bench/run.sh: '$1' is not one of --results, --rounds, --largest, --filter, --exact-only" >&2; exit 2 ;;
  esac
  shift
done
baselines=$(mktemp -d)
trap 'rm -rf "$baselines"' EXIT
if command -v gcc >/dev/null; then
  for program in kernel_walk pagemap_scan; do
    gcc -O2 -Wall -Wextra -Werror -o "$baselines/$program" "bench/c/$program.c"
  done
else
  echo "no gcc: the C walk and the running kernel are left out" >&2
fi
dotnet build -c Release -v quiet --nologo bench/HmmFast.Benchmarks
harness=(dotnet run -c Release --no-build --project bench/HmmFast.Benchmarks --)
# 256 Mi pages take 17 GiB; with less memory the largest size is 16 Mi.
if [ -z "$largest" ]; then
  largest=$((1 << 24))
  if [ "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2>/dev/null || echo 0)" -gt $((18 << 20)) ]; then
    largest=$((1 << 28))
  fi
fi
# A bar that is not met is told at the end, and does not keep the rest from being measured.
code=0
"${harness[@]}" bars --results "$results" --baselines "$baselines" --largest "$largest" "${passed[@]}" || code=$?
if [ -z "$filter" ]; then
  brief=()
  [ "$rounds" = 1 ] && brief=(--smoke)
  "${harness[@]}" brief --results "$results" "${brief[@]}"
fi
exit "$code"
