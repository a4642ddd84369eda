#!/bin/bash
# Measuring from the command line: its options, the result file against its JSON Schema and with
# Google Benchmark's own compare.py, and a run that is interrupted and resumed. Usage:
# test_cli_measure.sh PATH_OF_RESMARK
set -euo pipefail

resmark=$(realpath "$1")
tests=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
schema=$tests/../results/schema.json
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
unset RESMARK_ISA
# shellcheck source=tests/cli_checks.sh
. "$tests/cli_checks.sh"

# Debian's, which has the modules that scripts/setup installs.
python=/usr/bin/python3
compare=/usr/share/benchmark/compare.py

test_options() {
    local value
    for value in '' nope latency,sweep; do
        refuses 2 "--scenario $value: it must be latency," "$resmark" run --scenario "$value"
    done
    for value in 0 -1 1025 1,,2 '1,' x ''; do
        refuses 2 "--instances $value: it must be 1 to 1024" "$resmark" run --instances "$value"
    done
    for value in 0 -1 101 nan 1x '1%%' ''; do
        refuses 2 "--precision $value: it must be over 0" "$resmark" run --precision "$value"
    done
    refuses 2 "--batch 1,0: it must be 1 to 1024" "$resmark" run --batch 1,0
    refuses 2 "--instances 2 of --threads $(nproc): this process may use $(nproc) CPU" \
        "$resmark" run --instances 2 --threads "$(nproc)"
    refuses 2 "a plan is for one batch" "$resmark" run --batch 1,2 --tune
}

# Whether a file is what the schema says; the message goes to stdout.
conforms() {
    "$python" - "$schema" "$1" <<-'END'
	import json, sys, jsonschema
	schema, result = (json.load(open(path)) for path in sys.argv[1:])
	errors = list(jsonschema.Draft202012Validator(schema).iter_errors(result))
	for error in errors[:5]:
	    print("/".join(map(str, error.path)), error.message[:200])
	sys.exit(1 if errors else 0)
	END
}

# damaged CODE: a copy of the result in which Python has changed `r`, its resmark object.
damaged() {
    "$python" - "$1" <<-'END'
	import json, sys
	result = json.load(open("latency.json"))
	r = result["resmark"]
	exec(sys.argv[1])
	json.dump(result, open("damaged.json", "w"))
	END
}

test_schema() {
    local code
    "${run[@]}" --max-time 1 --json latency.json >stdout
    "${run[@]}" --errors --scenario sweep --batch 1,2 --json sweep.json >sweep.txt
    for name in latency sweep; do
        check "$name.json is not what the schema says: $(conforms $name.json)" conforms $name.json
    done
    for code in 'del r["order_seed"]' 'r["version"] = 1' 'r["end_to_end"] = []' \
        'r["end_to_end"][0]["verdict"] = "FINE"' 'r["end_to_end"][0]["median_ms"] = "1"' \
        'r["layers"][7]["output_hash"] = "12"' 'del r["end_to_end"][0]["samples"]["clock_ghz"]' \
        'del r["ceilings"]["fma"][0]["threads"]' 'r["machine"]["turbo"] = "on"' \
        'del r["end_to_end"][0]["energy"]["available"]'; do
        damaged "$code"
        check "the schema allows $code" eval '! conforms damaged.json >stdout'
    done
}

# What the schema cannot say. Run with bandwidths (--max-time 1) each layer has its floors.
test_figures() {
    check "latency.json: figures" "$python" - latency.json <<-'END'
	import json, sys
	r = json.load(open(sys.argv[1]))["resmark"]
	row, = r["end_to_end"]
	samples = row["samples"]
	assert len({len(samples[key]) for key in samples}) == 1, "lists of samples differ in length"
	assert row["min_ms"] <= row["ci_low_ms"] <= row["median_ms"] <= row["ci_high_ms"] <= row["max_ms"]
	assert row["median_ms"] <= row["p90_ms"] <= row["p99_ms"] <= row["p99_9_ms"] <= row["max_ms"]
	assert (row["verdict"] == "VALID") == (not row["reasons"])
	assert samples["at_s"] == sorted(samples["at_s"])
	assert all(layer["row"] == 0 and layer["floor_level"] and layer["bytes"] > 0 for layer in r["layers"])
	assert {b["operation"] for b in r["ceilings"]["bandwidth"]} == {"read", "copy"}
	kinds = {layer["kind"]: layer["bound_by"] for layer in r["layers"]}
	assert kinds["max_pool"] == "bytes", "a layer without arithmetic is bound by it"
	END
    check "sweep.json: best" "$python" - sweep.json <<-'END'
	import json, sys
	r = json.load(open(sys.argv[1]))["resmark"]
	rows, best = r["end_to_end"], r["sweep"]
	assert {row["batch"] for row in rows} == {1, 2} and len(rows) >= 2
	assert len({(row["threads"], row["batch"], row["instances"]) for row in rows}) == len(rows)
	assert rows[best["best_images_per_s"]]["images_per_s"] == max(row["images_per_s"] for row in rows)
	assert rows[best["best_latency"]]["median_ms"] == min(row["median_ms"] for row in rows)
	assert len(r["layers"]) == 57 * len(rows)
	for row in rows:
	    logits = {other["logits_hash"] for other in rows if other["batch"] == row["batch"]}
	    assert len(logits) == 1, "other bits with other threads or instances"
	END
    check "sweep: no best point" grep -q '^best .* images/s with --isa' sweep.txt
    check "no reason why there is no energy" grep -q '^energy' sweep.txt
}

test_google_benchmark() {
    "${run[@]}" --max-time 1 --json other.json >stdout
    "$python" "$compare" --no-color benchmarks latency.json other.json >compared
    check "compare.py: $(cat compared)" \
        grep -qE "^resnet50_v2/$isa/auto/batch:1/threads:1_pvalue .*U Test" compared
}

# Interrupts a run that would take a minute as soon as there is something to keep.
interrupt() {
    local delay status
    for delay in 2 4 8 16 32 64; do
        status=0
        timeout --foreground --preserve-status --signal INT $delay \
            "${run[@]}" --max-time 60 --precision 0.001 --json stopped.json >stdout 2>stderr || status=$?
        check "interrupt after $delay s: a piece is left" test -z "$(compgen -G '*.part')"
        [ ! -e stopped.json ] || return 0
    done
    fail "no run could be interrupted: $(cat stderr)"
}

# Each is told from what this program left, and nothing is measured.
test_damaged_resume() {
    local code text
    while IFS='|' read -r code text; do
        "$python" - "$code" <<-'END'
		import json, sys
		result = json.load(open("before.json"))
		r = result["resmark"]
		s = r["resume"]["series"][0]
		exec(sys.argv[1])
		json.dump(result, open("broken.json", "w"))
		END
        refuses 1 "cannot resume broken.json: ${text/ISA/$isa}" "$resmark" run --resume broken.json
    done <<-'END'
	s["logits_hash"] = "0123456789abcdef"|ISA
	s["plan_hash"] = "0123456789abcdef"|ISA
	s["contender"] = 1|"contender" is 1
	s["repetitions"] = [[1]]|a repetition has 1 figures
	s["repetitions"][0][3] = None|a repetition holds a figure that cannot be
	s["conditions"] = []|"conditions" has 0 entries
	r["resume"]["series"] = [s, s]|it has the same series twice
	del r["resume"]|"contenders" is missing
	r["build"]["executable_hash"] = None|another build of resmark made it
	r["machine"]["cpu"] = "Z80"|it was made on Z80
	END
    head -c 10000 before.json >broken.json
    refuses 1 "cannot resume broken.json: it is damaged or cut off in line 1:" "$resmark" run --resume broken.json
}

test_resume() {
    interrupt
    check "an interrupted run: $(conforms stopped.json)" conforms stopped.json
    refuses 1 "there is nothing to resume" "$resmark" run --resume latency.json
    refuses 1 "nosuch.json: No such file" "$resmark" run --resume nosuch.json
    refuses 1 "cannot resume $schema: it is no result file" "$resmark" run --resume "$schema"
    refuses 2 "--resume takes all options from its file" \
        "$resmark" run --resume stopped.json --batch 2
    # Whoever waits for the end of the minute need not wait here.
    "$python" - <<-'END'
	import json
	result = json.load(open("stopped.json"))
	r = result["resmark"]
	assert r["status"] == "interrupted", r["status"]
	r["arguments"][r["arguments"].index("60")] = "0.1"
	json.dump(result, open("before.json", "w"))
	END
    test_damaged_resume
    cp before.json resumed.json
    "$resmark" run --resume resumed.json >stdout
    check "a resumed run: $(conforms resumed.json)" conforms resumed.json
    check "resumed.json" "$python" - <<-'END'
	import json
	before, after = (json.load(open(name))["resmark"] for name in ("before.json", "resumed.json"))
	old, new = (r["end_to_end"][0] for r in (before, after))
	assert after["status"] == "complete" and "resume" not in after
	assert new["repetitions"] >= min(old["repetitions"], 2000) and new["ended_by"] == "max_time"
	earlier = [at for at in new["samples"]["at_s"] if at < before["duration_s"]]
	assert earlier and len(earlier) + 10 > len(new["samples"]["at_s"]), "earlier repetitions are gone"
	assert after["duration_s"] > before["duration_s"]
	END
}

isa=$(best_isa)
run=("$resmark" run --isa "$isa" --threads 1 --size 32 --max-time 0.2)
test_options
test_schema
test_figures
test_google_benchmark
test_resume
echo "$checks checks, $failures failed"
[ "$failures" -eq 0 ]
