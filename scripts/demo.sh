#!/bin/sh
# Publishes this repository and a 64 MiB file, fetches both by name, compares.
# usage: scripts/demo.sh path/to/cefgo
set -eu
cefgo=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
repo=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
id=demo$$
pids=
finish() {
	for p in $pids; do kill "$p" 2>/dev/null || true; done
	for p in $pids; do wait "$p" 2>/dev/null || true; done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
# A socket of the demo's own: a forwarder that runs here already is left alone.
cef() { "$cefgo" --socket-id "$id" "$@"; }

# Waits until somebody publishes under a prefix.
answers() {
	tries=100
	until cef ping -q "$1" -c 1 --lifetime 200ms --wait 10s >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { echo "demo: nobody answers for $1" >&2; exit 1; }
		sleep 0.1
	done
}

echo "== a 64 MiB file of random bytes"
mkdir "$work/big" "$work/got"
head -c 67108864 /dev/urandom >"$work/big/random.bin"

echo "== publish both; the first publisher brings the forwarder along"
"$cefgo" --socket-id "$id" serve ccnx:/demo/repo "$repo" & pids="$! $pids"
answers ccnx:/demo/repo
"$cefgo" --socket-id "$id" serve ccnx:/demo/big "$work/big" --block-size 32000 & pids="$! $pids"
answers ccnx:/demo/big
cef ping ccnx:/demo/repo -c 3 -i 0.1

echo "== fetch the 64 MiB file by name"
cef get ccnx:/demo/big/random.bin -o "$work/got/random.bin"
cmp "$work/big/random.bin" "$work/got/random.bin"

echo "== fetch every file of the repository by name"
count=0
(cd "$repo" && find . -name '.?*' -prune -o -name bin -prune -o -type f -print) >"$work/list"
while read -r file; do
	file=${file#./}
	cef get -q "ccnx:/demo/repo/$file" -o "$work/got/file"
	cmp "$repo/$file" "$work/got/file"
	count=$((count + 1))
done <"$work/list"

echo "== push a note into the content store and fetch it"
echo "hello, names" >"$work/note"
cef put ccnx:/demo-notes/today "$work/note"
cef get -q ccnx:/demo-notes/today -o - | cmp - "$work/note"

echo "demo: $count files and 64 MiB fetched by name, all equal"
