#!/bin/bash
# `resmark verify` as people meet it: usage, files for other machines, stale plans. Usage:
# test_cli_verify.sh [--quick] PATH_OF_RESMARK
# --quick, for a slow build: no comparison with the published files of all algorithms
set -euo pipefail

quick=''
if [ "$1" = --quick ]; then
    quick=1
    shift
fi

resmark=$(realpath "$1")
sources=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
unset RESMARK_ISA
# shellcheck source=tests/cli_checks.sh
. "$sources/cli_checks.sh"

test_usage() {
    refuses 2 "--nope: unknown option" "$resmark" verify --nope
    refuses 2 "unexpected argument 'x'" "$resmark" verify x
    refuses 2 "--size 31: it must be 32 to 4096" "$resmark" verify --size 31
    refuses 2 "--batch 17: it must be 1 to 16" "$resmark" verify --batch 17
    refuses 2 "--write needs the name of a file" "$resmark" verify --write ''
    refuses 2 "--network x: it is unknown" "$resmark" verify --network x
    refuses 2 "--algo x: " "$resmark" verify --algo x
    refuses 2 "--isa: unknown ISA 'x'" "$resmark" verify --isa x
    refuses 2 "this process may use $(nproc) CPU" "$resmark" verify --threads $(($(nproc) + 1))
    refuses 2 "leave those options out" "$resmark" verify --against file --size 64
    refuses 2 "leave one of them out" "$resmark" verify --layer conv0 --write file
    refuses 2 "leave one of them out" "$resmark" verify --plan file --against file
    refuses 2 "--weights: the file says which network it holds" "$resmark" verify --weights file --seed 2
    refuses 2 "--weights needs the name of a file" "$resmark" verify --weights ''
    refuses 1 "cannot read the weights file nosuch" "$resmark" verify --weights nosuch
    refuses 1 "--layer nope: the network has no such layer" "${verify[@]}" --layer nope
}

test_files_that_cannot_be_used() {
    mkdir directory
    : >empty
    refuses 1 "cannot create the verify file nosuch/file: " "${verify[@]}" --write nosuch/file
    refuses 1 "the verify file directory is there already" "${verify[@]}" --write directory
    refuses 1 "nosuch" "$resmark" verify --against nosuch
    refuses 1 "directory" "$resmark" verify --against directory
    refuses 1 "cannot use the verify file empty: " "$resmark" verify --against empty
}

# A file agrees with the machine that wrote it, until a hash in it is another one.
test_written_file() {
    check "--write" "${verify[@]}" --write own.json >stdout
    check "no verdict" grep -qx "verdict   everything agrees" stdout
    check "half of it is left" test -z "$(compgen -G '*.part')"
    check "--against its own" "$resmark" verify --isa "$isa" --bits --against own.json >stdout
    check "not all layers" grep -q "^direct  *57 of 57  layers equal to those of $isa on 1" stdout
    python3 - <<-'END'
	import json
	record = json.load(open("own.json"))
	layer = record["models"][0]["layers"][20]
	layer["output"] = "0" * 16
	layer["bands"] = "0" * len(layer["bands"])
	json.dump(record, open("other.json", "w"))
	open("layer", "w").write(layer["name"])
	END
    local status=0
    "$resmark" verify --isa "$isa" --bits --against other.json >stdout 2>stderr || status=$?
    check "another file: status $status" test $status -eq 1
    check "another file: $(cat stderr)" grep -q \
        "direct: the first layer that differs from the file's is $(cat layer): everything: " stderr
    head -c 1000 own.json >half.json
    refuses 1 "it is damaged or cut off in line" "$resmark" verify --against half.json
}

# What other machines and emulators have computed is the same, to the bit, and the same as here.
test_published_files() {
    local published=$sources/../results/verify
    check "the published files differ" python3 - "$published"/*.json <<-'END'
	import json, sys
	records = [json.load(open(name)) for name in sys.argv[1:]]
	layers = [[model["layers"] for model in record["models"]] for record in records]
	isas = {run["isa"] for record in records for run in record["models"][0]["runs"]}
	assert len(records) > 1 and all(each == layers[0] for each in layers), "other layers"
	assert isas >= {"scalar", "avx2", "avx512", "neon"}, isas
	END
    [ -z "$quick" ] || return 0
    check "--against" "$resmark" verify --isa "$isa" --threads 1 --bits \
        --against "$published/scalar.json" >stdout
    check "not all layers" test "$(grep -c ' 57 of 57  layers equal to those of scalar' stdout)" -eq 6
}

test_json() {
    check "--json" "${verify[@]}" --layer stage1_conv0 --json >json
    check "the JSON is not what it must be" python3 - <<-'END'
	import json
	result = json.load(open("json"))
	[model] = result["models"]
	[layer] = model["layers"]
	assert result["ok"] is True and result["size"] == 32
	assert layer["name"] == "stage1_conv0" and len(layer["output_hash"]) == 16
	assert model["runs"][0]["image"]["equal_layers"] == 1 and model["weights_wrong"] == 0
	END
}

# A plan for another size of the network, and the right one.
test_plans() {
    "$resmark" run --isa "$isa" --threads 1 --size 32 --max-time 0.001 --tune=plan --tune-time 0.1 >stdout
    check "a plan" "${verify[@]}" --plan plan >stdout
    check "a plan is not verified" grep -q "^tuned *$isa *1  57 of 57" stdout
    sed -i 's/"size": 32/"size": 64/' plan
    refuses 1 "it is for images of 64x64, not 32x32" "${verify[@]}" --plan plan
}

# A record of real weights is compared with the same weights only.
test_weights_files() {
    local seed with=("$resmark" verify --isa "$isa" --threads 1 --bits)
    for seed in 7 8; do
        "$resmark" export --network resnet18_v2 --classes 10 --seed $seed --format safetensors \
            -o weights$seed
    done
    check "--weights" "${with[@]}" --weights weights7 --size 32 --algo direct --write real.json >stdout
    check "not the file's network" grep -q '^network   resnet18_v2 (gluon), 10 classes, 32x32' stdout
    check "not the file's hash" grep -q "SHA-256 $(sha256sum weights7 | cut -d ' ' -f 1)" stdout
    "$resmark" run --isa "$isa" --threads 1 --weights weights7 --size 32 --algo direct --max-time 0.001 \
        --json run.json >run.txt
    check "not the logits of resmark run" grep -q " $(python3 -c '
import json
print(json.load(open("run.json"))["resmark"]["end_to_end"][0]["logits_hash"])')\$" stdout
    check "--weights --against" "${with[@]}" --weights weights7 --against real.json >stdout
    check "not all layers" grep -q "^direct  *24 of 24  layers equal" stdout
    refuses 1 "give that file with --weights" "${with[@]}" --against real.json
    refuses 1 "give that file with --weights" "${with[@]}" --weights weights8 --against real.json
    refuses 1 "leave out --weights" "${with[@]}" --weights weights7 --against own.json
}

isa=$(best_isa)
verify=("$resmark" verify --isa "$isa" --threads 1 --size 32 --bits --algo direct)
test_usage
test_files_that_cannot_be_used
test_written_file
test_published_files
test_weights_files
test_json
test_plans
echo "$checks checks, $failures failed"
[ "$failures" -eq 0 ]
