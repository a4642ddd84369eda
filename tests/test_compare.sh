#!/bin/bash
# `resmark compare` as people meet it: verdicts on programs and files that are made up, so that what is
# true of them is known and no clock decides, and everything that it refuses, each in one line.
# Usage: test_compare.sh PATH_OF_RESMARK
set -euo pipefail

resmark=$(realpath "$1")
sources=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
unset RESMARK_ISA
# shellcheck source=tests/cli_checks.sh
. "$sources/cli_checks.sh"

# make_build NAME PERCENT [HEAD_EDIT [LINE]]: a program that answers like `resmark sample`, with times round
# 10 ms that scatter by 10 % and are PERCENT of that; of its two layers the second alone differs. LINE is
# Python that runs before, which may set the mood: what the times of this start are multiplied by.
make_build() {
    cat >"$1" <<-END
	#!/usr/bin/python3
	import random, sys
	head = '{"format":"resmark sample","version":1,"resmark_version":"0.1.0","compiler":"gcc",' \\
	    '"network":"resnet50_v2","variant":"gluon","size":32,"isa":"avx2","algo":"auto",' \\
	    '"threads":1,"batch":1,"logits_hash":"00000000000000aa","layers":[' \\
	    '{"name":"conv0","algo":"direct","kernel":"a"},{"name":"conv1","algo":"direct",' \\
	    '"kernel":"b"}]}'
	print(head${3:-}, flush=True)
	with open(sys.argv[0] + ".starts", "a+") as file:
	    file.write("x")
	    starts = file.tell()
	random.seed(1000 * ($2 + len(sys.argv[0])) + starts)
	mood = 1
	${4:-}
	for line in sys.stdin:
	    scatter = [1 + 0.1 * random.random() for i in range(4)]
	    base = [10e6, 10e6, 4e6, 6e6]
	    share = [mood * p for p in ($2 / 100, $2 / 100, 1, $2 / 100)]
	    print(*[int(b * s * p) for b, s, p in zip(base, scatter, share)], flush=True)
	END
	chmod +x "$1"
}

# verdicts OUTPUT: of the whole and of the layers.
verdicts() {
    python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
print(r["whole"]["verdict"], r["ended_by"], *[l["name"] + ":" + l["verdict"] for l in r["layers"]],
      sep=", ")' "$1"
}

# expect_live VERDICT BUILD_A BUILD_B
expect_live() {
    local want=$1
    shift
    check "live $*" "$resmark" compare --live "$@" --pairs 300 --json >live.json
    check "live $*: $(verdicts live.json) instead of $want" test "$(verdicts live.json)" = "$want"
}

test_live() {
    make_build ./plain 100
    make_build ./plain-too 100
    make_build ./slow 140
    make_build ./fast 60
    make_build ./slightly 110
    make_build ./other 100 '.replace("gluon", "keras").replace("gcc", "clang")'
    expect_live "no difference, clear, conv0:no difference, conv1:no difference" ./plain ./plain-too
    expect_live "slower, clear, conv0:no difference, conv1:slower" ./plain ./slow
    expect_live "faster, clear, conv0:no difference, conv1:faster" ./plain ./fast
    expect_live "slower, clear, conv0:no difference, conv1:no difference" ./plain ./slightly
    make_build ./moody 100 '' 'mood = 1.05 if starts % 2 == 1 else 0.95'
    expect_live "no difference, max_pairs, conv0:no difference, conv1:no difference" ./plain ./moody
    "$resmark" compare --live ./plain ./slow --margin 0.1 >text
    check "text: $(tail -n 1 text)" grep -qE "^B is slower: it takes (39|40|41)\.[0-9]* % more" text
    refuses 1 "they differ in variant (gluon, keras); --force" "$resmark" compare --live ./plain ./other
    check "--force" "$resmark" compare --live ./plain ./other --force --pairs 100 >text
    check "--force does not name it" grep -q "^differs  variant: gluon, keras" text
    check "the compiler is not named" grep -q "^differs  compiler: gcc, clang" text
}

# One side of a live comparison, which ends with its input.
test_sample() {
    echo 1 | "$resmark" sample --network resnet14_v2_digits --threads 1 >text
    check "sample: $(head -c 200 text)" grep -q '"network":"resnet14_v2_digits",.*"size":32,' text
    check "sample: $(wc -l <text) lines" test "$(wc -l <text)" = 2
    refuses 2 "unknown network 'nope'" "$resmark" sample --network nope
    refuses 2 "--nope: unknown option" "$resmark" sample --nope
}

# sample_head ARGUMENT...: what it says of what it runs, on a thread.
sample_head() {
    "$resmark" sample --threads 1 "$@" </dev/null
}

# Real weights, and a plan, as run and verify take them.
test_sample_files() {
    local isa sample=("$resmark" sample --threads 1 --network resnet18_v2 --size 32)
    isa=$(best_isa)
    check "weights" sample_head --weights "$sources/digits/digits.safetensors" >text
    check "weights: $(head -c 200 text)" grep -q '"network":"resnet14_v2_digits",.*"size":32,' text
    check "synthetic ones" sample_head --network resnet14_v2_digits >other
    check "the weights of the file change nothing" \
        test "$(grep -o '"logits_hash":"[^"]*"' text)" != "$(grep -o '"logits_hash":"[^"]*"' other)"
    "$resmark" run --network resnet18_v2 --isa "$isa" --threads 1 --size 32 --max-time 0.001 \
        --tune=plan --tune-time 0.1 >stdout
    check "a plan" "${sample[@]}" --plan plan </dev/null >text
    check "a plan: $(head -c 200 text)" grep -q '"algo":"tuned"' text
    check "a live comparison" "$resmark" compare --live "$resmark" "$resmark" --pairs 16 -- "${sample[@]:2}" --plan plan >text
    sed -i 's/"threads": 1/"threads": 2/' plan
    refuses 1 "the plan file plan has nothing for $isa on 1 thread" "${sample[@]}" --plan plan
    refuses 1 "cannot use the plan file plan: it is for images of 32x32, not 64x64" "${sample[@]}" --size 64 --plan plan
    refuses 1 "cannot read the weights file nosuch" "$resmark" sample --weights nosuch
    refuses 2 "--weights needs the name of a file" "$resmark" sample --weights ''
    refuses 2 "--weights: the file says which network it holds" "$resmark" sample --weights file --seed 2
    refuses 2 "--plan: the file says which algorithms are used" "$resmark" sample --plan file --algo direct
}

test_live_refusals() {
    local value
    refuses 2 "compares two programs, and 1 are given" "$resmark" compare --live ./plain
    refuses 2 "compares two programs, and 3 are given" "$resmark" compare --live ./plain a b
    for value in 15 2001 x ''; do
        refuses 2 "--pairs $value: it must be 16 to 2000" "$resmark" compare --live a b --pairs "$value"
    done
    for value in 0 101 x ''; do
        refuses 2 "--restarts $value: it must be 1 to 100" "$resmark" compare --live a b --restarts "$value"
    done
    for value in 0 -1 nan 1x ''; do
        refuses 2 "--margin $value: it must be over 0" "$resmark" compare --live a b --margin "$value"
        refuses 2 "--max-time $value: it must be" "$resmark" compare --live a b --max-time "$value"
    done
    refuses 2 "--clock sun: it is none of" "$resmark" compare --live a b --clock sun
    refuses 2 "--nope: unknown option" "$resmark" compare --nope
    refuses 1 "cannot start ./nosuch: No such file" "$resmark" compare --live ./plain ./nosuch
    refuses 1 "cannot start .: Permission denied" "$resmark" compare --live . ./plain
    refuses 1 "sample has ended: it said nothing" "$resmark" compare --live true ./plain
    refuses 1 "echo sample cannot be understood" "$resmark" compare --live echo ./plain
    refuses 1 "--nope: unknown option" "$resmark" compare --live "$resmark" ./plain -- --nope
    make_build ./short 100 '' 'sys.stdin.readline(); print("1 2"); sys.exit()'
    refuses 1 "an answer is not of 4 times" "$resmark" compare --live ./short ./plain
    make_build ./ended 100 '' 'print("12 12 5 6", flush=True); sys.exit("broken")'
    refuses 1 "./ended sample has ended: broken" "$resmark" compare --live ./ended ./plain
    refuses 1 "the time is up after" "$resmark" compare --live ./plain ./plain --max-time 0.0001
}

# Ctrl-C gives the verdict that there is.
test_live_interrupt() {
    local status=0
    timeout --foreground --preserve-status --signal INT 5 "$resmark" compare --live "$PWD/plain" "$PWD/plain-too" \
        --margin 0.0001 --pairs 2000 --max-time 3600 --json >live.json 2>stderr || status=$?
    check "interrupt: status $status, $(cat stderr)" test $status -eq 0
    check "interrupt: $(verdicts live.json)" grep -qE '"ended_by": "(interrupted|max_pairs)"' live.json
    check "interrupt: a child is left" test -z "$(pgrep -f "$PWD/plain" || true)"
}

# So does SIGTERM, to its children, too, as when a service is stopped.
test_live_stopped() {
    local status=0
    setsid "$resmark" compare --live "$resmark" "$resmark" --margin 0.0001 --pairs 2000 --max-time 3600 --json \
        -- --size 32 >live.json 2>stderr &
    sleep 5
    kill -TERM -- -$!
    wait $! || status=$?
    case $status in
    0) check "stopped: $(verdicts live.json)" grep -q '"ended_by": "interrupted"' live.json ;;
    1) check "stopped: $(cat stderr)" grep -q "interrupted after [0-9]* pairs" stderr ;;
    *) check "stopped: status $status, $(cat stderr)" false ;;
    esac
}

# make_result NAME: a result file of version 1 with one row and one layer.
make_result() {
    python3 - "$1" <<-'END'
	import json, sys
	row = dict(network="net", variant="v", isa="avx2", algo="auto", threads=1, batch=1, instances=1,
	    precision="fp32", median_ms=2.0, ci_low_ms=1.99, ci_high_ms=2.01, p99_ms=3.0, first_ms=4.0,
	    images_per_s=500.0, gflops=1.0, ceiling_gflops=2.0, over_ceiling=0.5, verdict="VALID",
	    logits_hash="00000000000000aa", repetitions=3)
	layer = dict(network="net", isa="avx2", algo="direct", threads=1, batch=1, name="conv0",
	    kind="conv", kernel="k", cin=3, cout=64, kernel_size=3, stride=1, height=32, width=32,
	    macs=1e6, median_ms=2.0, gflops=1.0, ceiling_gflops=2.0, over_ceiling=0.5,
	    output_hash="00000000000000bb")
	runs = [dict(run_name="net/avx2/auto/batch:1/threads:1", repetition_index=i, real_time=2.0)
	    for i in range(3)]
	machine = dict(cpu="CPU", cores=1, allowed_cores=1, quota_cores=0.0, huge_pages="")
	own = dict(version=1, resmark_version="0", compiler="gcc", machine=machine, end_to_end=[row],
	    layers=[layer])
	json.dump(dict(context={}, benchmarks=runs, resmark=own), open(sys.argv[1], "w"))
	END
}

test_files() {
    local i
    make_result base.json
    "$resmark" compare base.json base.json >text
    check "itself: $(grep ^whole text)" grep -q "^whole .* 1.0000  .*no difference$" text
    mkdir many
    for ((i = 0; i < 200; i++)); do
        ln -s ../base.json "many/$i.json"
    done
    "$resmark" compare base.json many many --json >many.json
    check "400 files" python3 -c '
import json
r = json.load(open("many.json"))
assert r["mode"] == "files" and len(r["files"]) == 400 and r["comparisons"] == 400
assert all(f["rows"][0]["verdict"] == "no difference" for f in r["files"])'
}

test_files_refusals() {
    refuses 2 "two result files or more" "$resmark" compare
    refuses 2 "two result files or more" "$resmark" compare base.json
    refuses 1 "cannot read the result file nosuch.json: No such" "$resmark" compare base.json nosuch.json
    mkdir empty
    refuses 1 "the directory empty has no file whose name ends in .json" "$resmark" compare base.json empty
    refuses 1 "the result file /dev/zero is no regular file" "$resmark" compare base.json /dev/zero
    head -c 500 base.json >cut.json
    refuses 1 "cut.json: it is damaged or cut off" "$resmark" compare base.json cut.json
    ln cut.json many/77.json.json # the first of two by name, whichever thread comes upon one first
    ln cut.json many/78.json.json
    refuses 1 "cannot use the result file many/77.json.json: it is damaged" "$resmark" compare base.json many
    refuses 1 "cannot use the result file many/77.json.json: it is damaged" "$resmark" report many --csv
    sed 's/"version": 1/"version": 3/' base.json >newer.json
    refuses 1 "newer.json: it is of format version 3" "$resmark" compare newer.json base.json
    sed 's/2\.01/NaN/' base.json >nan.json
    refuses 1 "lexical error: invalid char in json text. near '" "$resmark" compare base.json nan.json
    sed 's/"cpu": "CPU"/"cpu": "Pentium"/' base.json >machine.json
    refuses 1 "they differ in CPU (CPU, Pentium); --force" "$resmark" compare base.json machine.json
    "$resmark" compare base.json machine.json --force >text
    check "the machine is not named" grep -q "^differs  CPU: CPU, Pentium" text
    refuses 2 "--between-runs 0: it must be" "$resmark" compare a b --between-runs 0
    local status=0
    "$resmark" compare base.json base.json >/dev/full 2>stderr || status=$?
    check "full disk: status $status" test $status -eq 1
    check "full disk: $(cat stderr)" grep -q "cannot write to standard output: No space" stderr
}

test_live
test_sample
test_sample_files
test_live_refusals
test_files
test_files_refusals
test_live_interrupt
test_live_stopped
echo "$checks checks, $failures failed"
[ "$failures" -eq 0 ]
