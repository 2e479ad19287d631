#!/usr/bin/env bash
# Measures every bar and writes perf-results/<cpu>/. Takes under 20 minutes on two cores; wants gcc for the C baselines.
# usage: bench/run.sh [--rounds N] [--largest PAGES] [--filter TEXT]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
baselines=$(mktemp -d)
trap 'rm -rf "$baselines"' EXIT
if command -v gcc >/dev/null; then
  for program in kernel_walk pagemap_scan; do
    gcc -O2 -Wall -Wextra -o "$baselines/$program" "bench/c/$program.c"
  done
else
  echo "no gcc: the C walk and the running kernel are left out" >&2
fi
dotnet build -c Release -v quiet --nologo bench/HmmFast.Benchmarks
# 256 Mi pages take 17 GiB; with less memory the largest size is 16 Mi.
largest=(--largest $((1 << 24)))
if [ "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2>/dev/null || echo 0)" -gt $((18 << 20)) ]; then
  largest=(--largest $((1 << 28)))
fi
[[ " $* " == *" --largest "* ]] && largest=()
dotnet run -c Release --no-build --project bench/HmmFast.Benchmarks -- bars --results perf-results --baselines "$baselines" "${largest[@]}" "$@"
