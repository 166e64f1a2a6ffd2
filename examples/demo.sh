#!/bin/sh
# The main job on a shipped instance: solve to proof, verify, export, train a policy briefly, and print the gap table.
set -eu
out=${OUT:-out/demo}
rm -rf "$out"
say() { printf '\n$ %s\n' "$*"; "$@"; }

say skybound solve examples/congested.json --out "$out/solutions"
say skybound verify examples/congested.json "$out/solutions/congested.solution.json"
say skybound export examples/congested.json --out "$out/models"
say skybound generate placement --preset congested --seed 3000001 --count 20 --out "$out/held-out" --json > "$out/held-out.txt"
say skybound train placement --preset congested --algorithm imitation --out "$out/run" \
    --set label_pairs=200000 --set validation_pairs=5000 --set steps=150 --set validate=150 --set warm_up=30
say skybound evaluate examples/congested.json "$out"/held-out/*.json --out "$out/table" \
    --solvers "column-generation,random,greedy,local-search,policy:$out/run"
