#!/bin/sh
# Runs every fuzz target of the repository, one after the other.
# usage: scripts/fuzz.sh [TIME]
set -eu
time=${1:-1m}
for pkg in $(go list ./...); do
	for target in $(go test -list '^Fuzz' "$pkg" | grep '^Fuzz' || true); do
		echo "== $pkg $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 100x "$pkg"
	done
done
