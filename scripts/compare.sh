#!/bin/sh
# Times "cefgo serve" + "cefgo get" against cefapp's producer and consumer through the
# same cefnetd, in turn, and prints each run's rate and the ratio of the medians.
# Needs cefnetd and cefapp on PATH, and python3 for the clock. Loopback only.
# usage: scripts/compare.sh path/to/cefgo [BYTES] [BLOCK] [RUNS]
set -eu
cefgo=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
bytes=${2:-20000000} block=${3:-1024} runs=${4:-5}
for tool in cefnetd cefapp python3; do
	command -v $tool >/dev/null || { echo "compare: skipped: $tool is not installed"; exit 0; }
done
work=$(mktemp -d)
port=$((20000 + $$ % 9000))
pids=
finish() {
	for p in $pids; do kill "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done
	rm -rf "$work" "/tmp/cef_$port.cmp" "/tmp/cefnetd_${port}_cmp.log"
}
trap finish EXIT
trap 'exit 130' INT TERM
mkdir "$work/cefore"
printf 'PORT_NUM=%s\nLOCAL_SOCK_ID=cmp\nCS_MODE=0\nCEF_LOG_LEVEL=0\n' "$port" >"$work/cefore/cefnetd.conf"
export CEFORE_DIR="$work" USER=root
cd "$work"
awk -v n="$bytes" 'BEGIN { for (i = 0; b < n; i++) { l = "line " i " of a text\n"; b += length(l); printf "%s", l } }' | head -c "$bytes" >content
cefnetd -d "$work/cefore" -p "$port" >/dev/null 2>&1 &
pids="$pids $!"
"$cefgo" ping ccnx:/nobody -c 1 --lifetime 1ms --wait 10s >/dev/null 2>&1 || true

now() { python3 -c 'import time; print(time.monotonic())'; }
# timed NAME COMMAND...: runs it and notes the rate; the output must be equal.
timed() {
	name=$1; shift
	rm -f out
	start=$(now)
	"$@" >/dev/null 2>&1 || { echo "compare: $name failed"; return; }
	end=$(now)
	cmp -s out content || { echo "compare: $name fetched other bytes"; return; }
	awk -v a="$start" -v b="$end" -v n="$bytes" 'BEGIN { printf "%.2f\n", n / (b - a) / 1e6 }' >>"$name.rates"
	echo "$name $(tail -n 1 "$name.rates") MB/s"
}
ready() { until "$cefgo" ping "$1" --chunk 0 -c 1 --lifetime 300ms >/dev/null 2>&1; do :; done; }

i=0
while [ $i -lt "$runs" ]; do
	i=$((i + 1))
	cefapp producer "ccnx:/cefapp/$i" content -i file -b "$block" -t 1000 -q >/dev/null 2>&1 &
	p=$!; pids="$pids $p"
	ready "ccnx:/cefapp/$i"
	timed cefapp cefapp consumer "ccnx:/cefapp/$i" -o file -f out -t 3 -q
	kill "$p"; wait "$p" 2>/dev/null || true
	"$cefgo" serve -q "ccnx:/cefgo/$i" content -b "$block" &
	p=$!; pids="$pids $p"
	ready "ccnx:/cefgo/$i"
	timed cefgo "$cefgo" get -q "ccnx:/cefgo/$i" -o out
	kill "$p"; wait "$p" 2>/dev/null || true
done
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
a=$(median cefapp.rates) b=$(median cefgo.rates)
echo "medians of $runs runs, $bytes bytes in blocks of $block: cefapp $a MB/s, cefgo $b MB/s, ratio $(awk -v a="$a" -v b="$b" 'BEGIN { printf "%.2f", b / a }')"
