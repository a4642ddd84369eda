#!/bin/bash
# The program as people meet it when something is wrong: bad options, bad pictures, files that cannot
# be written, signals. Each must end in one line on stderr and the right status (2 for usage, 1 for
# failure), without a crash and without half a file. Usage: test_cli.sh PATH_OF_RESMARK
set -euo pipefail

resmark=$(realpath "$1")
tests=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
golden=$tests/golden_hashes.h
directory=$(mktemp -d)
trap 'chmod -R u+w "$directory"; rm -rf "$directory"' EXIT
cd "$directory"
unset RESMARK_ISA
# shellcheck source=tests/cli_checks.sh
. "$tests/cli_checks.sh"

make_pictures() {
    mkdir directory
    mkfifo fifo
    : >empty.png
    echo 'This is no picture.' >garbage.jpg
    python3 - <<-'END'
	import struct, zlib
	def chunk(kind, data):
	    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
	def png(name, width, height):
	    row = b"\0" + bytes(x * 7 % 256 for x in range(width * 3))
	    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
	    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
	    file += chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b"")
	    open(name, "wb").write(file)
	    return file
	png("pixel.png", 1, 1)
	whole = png("wide.png", 20000, 10)
	open("half.png", "wb").write(whole[:len(whole) // 2])
	open("half.jpg", "wb").write(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01")
	END
}

test_usage() {
    refuses 2 "a command is missing; see resmark --help" "$resmark"
    refuses 2 "unknown command 'nope'" "$resmark" nope
    refuses 2 "unknown command '--nope'" "$resmark" --nope
    refuses 2 "unknown command 'a?b'" "$resmark" $'a\nb'
    refuses 2 "--nope: unknown option" "$resmark" run --nope
    refuses 2 "-x: unknown option" "$resmark" run -x
    refuses 2 "unexpected argument 'x?y'" "$resmark" run $'x\ny'
    refuses 2 "--batch: an argument is missing" "$resmark" run --batch
    local value
    for value in 0 -1 1025 99999999999999999999 1x ''; do
        refuses 2 "--batch $value: it must be 1 to 1024" "$resmark" run --batch "$value"
    done
    for value in 0 1000000 1,,2 '1,' ,1 x ''; do
        refuses 2 "--threads $value: " "$resmark" run --threads "$value"
    done
    refuses 2 "this process may use $(nproc) CPU" "$resmark" run --threads $(($(nproc) + 1))
    for value in 0 -1 nan inf 3600.1 1x ''; do
        refuses 2 "--max-time $value: it must be" "$resmark" run --max-time "$value"
    done
    for value in -1 1.5 18446744073709551616 ''; do
        refuses 2 "--seed $value: it must be" "$resmark" run --seed "$value"
    done
    for value in '' nope 'direct,' 'direct,direct'; do
        refuses 2 "--algo $value: " "$resmark" run --algo "$value"
    done
    refuses 2 "--json needs the name of a file" "$resmark" run --json ''
    refuses 2 "unknown network 'nope'" "$resmark" run --network nope
    refuses 2 "image size 34: for two_shortcuts it must be" "$resmark" run --network two_shortcuts --size 34
    for value in 0 100001 x; do
        refuses 2 "--classes $value: it must be 1 to 100000" "$resmark" run --classes "$value"
        refuses 2 "--classes $value: it must be 1 to 100000" "$resmark" networks --classes "$value"
    done
    refuses 2 "--size 31: it must be 32 to 4096" "$resmark" networks --size 31
    refuses 2 "unexpected argument 'x'" "$resmark" networks x
    refuses 2 "--nope: unknown option" "$resmark" networks --nope
}

# The list must be the table that runs: every network in it starts, and costs what the list says.
test_networks() {
    local name result
    check "networks --json" "$resmark" networks --json --size 64 --classes 10 >networks.json
    check "networks" "$resmark" networks >stdout
    check "networks: Gluon's 50" grep -Eq '^resnet50_v2 +gluon .* 4089184256 +25595060$' stdout
    "$resmark" networks --size 32 >stdout
    check "networks --size 32" grep -qx 'two_shortcuts      needs 35 pixels' stdout
    for name in resnet18_v2_timm resnet50_v2_keras resnet18_v1.5 plain34_v2 two_shortcuts; do
        result=$name.json
        check "$name does not run" "$resmark" run --network $name --size 64 --classes 10 --no-softmax \
            --isa "$isa" --max-time 0.01 --json "$result" >stdout
        check "$name: no logits shown" grep -Eqx 'top class +[0-9] +-?[0-9]+\.[0-9]+' stdout
        check "$name is not what the list says" python3 - "$result" networks.json <<-'END'
	import json, sys
	result, networks = (json.load(open(name)) for name in sys.argv[1:])
	row, layers = result["resmark"]["end_to_end"][0], result["resmark"]["layers"]
	listed = next(net for net in networks if net["name"] == row["network"])
	macs = sum(layer["macs"] for layer in layers)
	convs = sum(layer["kind"] == "conv" for layer in layers)
	if (row["variant"], convs, macs) != (listed["variant"], listed["convolutions"], listed["macs"]):
	    sys.exit(f"{row['variant']}, {convs} convolutions, {macs} MACs instead of {listed}")
	END
    done
}

# Real weights and real pictures; the labels are PyTorch's. The others must not suffer from bad ones.
test_classify() {
    local digits="$tests/digits" status=0
    local classify=("$resmark" classify --weights "$digits/digits.safetensors" --isa "$isa")
    refuses 2 "--weights is missing" "$resmark" classify pixel.png
    refuses 2 "an image is missing" "${classify[@]}"
    refuses 2 "--top 0: it must be 1 to 1000" "${classify[@]}" pixel.png --top 0
    refuses 2 "--nope: unknown option" "${classify[@]}" --nope
    refuses 2 "--algo nope: " "${classify[@]}" pixel.png --algo nope
    refuses 1 "nosuch" "${classify[@]}" pixel.png --weights nosuch
    refuses 1 "the labels file nosuch: No such file" "${classify[@]}" pixel.png --labels nosuch
    refuses 1 "the list of images directory is no regular file" "${classify[@]}" --list directory
    printf 'zero\none\n' >two.txt
    refuses 1 "two.txt has 2 lines, but the network has 10 classes" "${classify[@]}" pixel.png --labels two.txt
    check "classify" "${classify[@]}" "$digits" --top 1 --batch 7 >stdout
    check "classify: $(tail -n 1 stdout)" \
        grep -q "^100 images in .*, by resnet14_v2_digits (timm) on $isa, " stdout
    seq -f 'digit %.0f' 0 9 >names.txt
    printf '%s\n' "$digits/0000.png" nosuch.png "$digits/0005.png" >list.txt
    "${classify[@]}" --list list.txt garbage.jpg directory wide.png --labels names.txt --json \
        >stdout 2>stderr || status=$?
    check "classify with bad images: status $status" test "$status" -eq 1
    check "classify with bad images: $(cat stderr)" test "$(wc -l <stderr)" -eq 3
    check "classify --json" python3 - "$digits/expected.json" <<-'END'
	import json, os, sys
	images = json.load(open("stdout"))["images"]
	expected = {row["file"]: row["label"] for row in json.load(open(sys.argv[1]))}
	good = [image for image in images if "top" in image]
	assert [os.path.basename(image["file"]) for image in good] == ["0000.png", "0005.png", "wide.png"]
	assert sum("error" in image for image in images) == 3
	for image in good[:2]:
	    best = image["top"][0]
	    assert best["class"] == expected[os.path.basename(image["file"])]
	    assert best["label"] == f"digit {best['class']}" and len(image["top"]) == 5
	END
    "${classify[@]}" "$digits" --top 1 --json >stdout
    check "classify: labels are not PyTorch's" python3 - "$digits/expected.json" <<-'END'
	import json, os, sys
	images = json.load(open("stdout"))["images"]
	expected = {row["file"]: row["label"] for row in json.load(open(sys.argv[1]))}
	sys.exit({os.path.basename(image["file"]): image["top"][0]["class"] for image in images} != expected)
	END
    cp "$digits/0000.png" $'no\xffutf8.png'
    check "classify --json of a name that is no UTF-8" "${classify[@]}" $'no\xffutf8.png' --json >stdout
    check "classify --json of a name that is no UTF-8: $(cat stdout)" grep -q '"file": "no?utf8.png"' stdout
    status=0
    "${classify[@]}" "$digits" >/dev/full 2>stderr || status=$?
    check "classify >/dev/full: status $status" test $status -eq 1
    check "classify >/dev/full: $(cat stderr)" grep -q "cannot write to standard output: No space" stderr
}

test_ceilings() {
    refuses 2 "--nope: unknown option; see resmark ceilings --help" "$resmark" ceilings --nope
    refuses 2 "unexpected argument 'x'" "$resmark" ceilings x
    refuses 2 "RESMARK_ISA: unknown ISA 'foo'" env RESMARK_ISA=foo "$resmark" ceilings
    RESMARK_ISA=$isa "$resmark" ceilings --json >ceilings.json
    check "ceilings --json" python3 - ceilings.json "$isa" <<-'END'
	import json, sys
	ceilings = json.load(open(sys.argv[1]))["ceilings"]
	assert {row["isa"] for row in ceilings["fma"]} == {sys.argv[2]}
	assert all(row["gflops"] > 0 for row in ceilings["fma"])
	assert {"read", "copy"} == {row["operation"] for row in ceilings["bandwidth"]}
	assert all(row["gb_per_s"] > 0 for row in ceilings["bandwidth"])
	END
}

test_isas() {
    local absent=neon
    [ "$(uname -m)" = x86_64 ] || absent=avx2
    refuses 2 "--isa: $absent cannot be used: another architecture" "$resmark" run --isa $absent
    refuses 2 "--isa: unknown ISA 'foo'" "$resmark" run --isa foo
    refuses 2 "--isa: unknown ISA ''" "$resmark" run --isa ''
    refuses 2 "RESMARK_ISA: unknown ISA 'foo'" env RESMARK_ISA=foo "$resmark" run
    refuses 2 "RESMARK_ISA: $absent cannot be used" env RESMARK_ISA=$absent "$resmark" run
    [ "$isa" = scalar ] || refuses 2 "--isa: $isa cannot be used: removed by RESMARK_ISA" \
        env RESMARK_ISA=scalar "$resmark" run --isa "$isa"
}

test_pictures() {
    refuses 1 "nosuch.png: No such file" "${run[@]}" --image nosuch.png
    refuses 1 "directory: a directory" "${run[@]}" --image directory
    refuses 1 "fifo: a pipe or device" "${run[@]}" --image fifo
    refuses 1 "empty.png: the file is empty" "${run[@]}" --image empty.png
    refuses 1 "garbage.jpg: neither JPEG nor PNG" "${run[@]}" --image garbage.jpg
    refuses 1 "half.jpg: damaged" "${run[@]}" --image half.jpg
    refuses 1 "half.png: damaged PNG (the file ends early)" "${run[@]}" --image half.png
    local name
    for name in pixel.png wide.png; do
        check "$name is not taken" "${run[@]}" --image $name >stdout
        check "$name is not in the output" grep -qF "image    $name" stdout
    done
}

# The keys of design.md's two lists, by which scripts outside read them.
check_json() {
    python3 - "$1" <<-'END'
	import json, sys
	result = json.load(open(sys.argv[1]))
	rows, layers = (result["resmark"][key] for key in ("end_to_end", "layers"))
	want_row = """network variant isa algo threads batch instances precision median_ms ci_low_ms
	    ci_high_ms p99_ms images_per_s gflops ceiling_gflops over_ceiling logits_hash verdict"""
	want_layer = """network isa algo threads batch name kind cin cout kernel_size stride height width
	    macs median_ms gflops ceiling_gflops over_ceiling kernel output_hash"""
	missing = [key for row in rows for key in want_row.split() if key not in row]
	missing += [key for row in layers for key in want_layer.split() if key not in row]
	missing += [key for key in ("context", "benchmarks") if key not in result]
	if missing or len(rows) != 1 or len(layers) != 57 or not result["benchmarks"]:
	    sys.exit(f"{len(rows)} rows, {len(layers)} layers, missing: {missing}")
	END
}

# The hashes of direct convolution on the built-in picture, which the tests of the kernels hold, too.
check_hashes() {
    python3 - "$1" "$golden" <<-'END'
	import json, re, sys
	layers = json.load(open(sys.argv[1]))["resmark"]["layers"]
	table = re.search(r"golden_direct_224\[\] = \{(.*?)\};", open(sys.argv[2]).read(), re.S)[1]
	golden = [(name.removesuffix("_fwd"), hash) for name, hash in
	          re.findall(r'\{"(\w+)", 0x([0-9a-f]{16})\}', table)]
	if golden != [(layer["name"], layer["output_hash"]) for layer in layers]:
	    sys.exit("other hashes than golden_hashes.h")
	END
}

test_results() {
    check "a run with a result file" "${run[@]}" --algo direct --threads 1 --json result.json >stdout
    check "result.json is not what design.md says" check_json result.json
    check "result.json has other hashes" check_hashes result.json
    check "a piece of the result file is left" test -z "$(compgen -G '*.part')"
}

test_results_that_cannot_be_written() {
    local name unwritable=closed/result.json
    mkdir --mode 500 closed
    [ ! -w closed ] || unwritable=/proc/result.json # root may write anywhere but there
    for name in $unwritable /dev/full/x nosuch/result.json; do
        refuses 1 "cannot create the result file $name: " "${run[@]}" --json "$name"
    done
    ln -s result.json link
    for name in directory fifo /dev/null link; do
        refuses 1 "the result file $name is there already" "${run[@]}" --json "$name"
    done
    check "/dev/null is no longer a device" test -c /dev/null
}

# What export writes runs to the bits of the same weights made in place.
test_network_file() {
    local format=$1 length hash
    check "export" "$resmark" export --format "${format,,}" -o network
    check "a run of the exported network" "${run[@]}" --algo direct --threads 1 \
        --weights network --json weights.json >stdout
    check "weights.json has other hashes" check_hashes weights.json
    check "the file is not named" grep -qF "weights  network ($format" stdout
    hash=$(sha256sum <network | cut -d ' ' -f 1)
    check "another SHA-256" grep -q "$hash" stdout
    check "no SHA-256 in weights.json" grep -q "$hash" weights.json
    for length in 0 1 9 4096 50000000; do
        head -c "$length" network >shortened
        refuses 1 "shortened: " "${run[@]}" --weights shortened
    done
}

test_weights() {
    local name
    test_network_file safetensors
    test_network_file ONNX
    for name in directory fifo /dev/null; do
        refuses 1 "the weights file $name is no regular file" "${run[@]}" --weights $name
    done
    refuses 1 "garbage.jpg: no weights file by its first bytes" "${run[@]}" --weights garbage.jpg
    mkdir -p alone
    cp "$resmark" alone
    printf '\211HDF\r\n\032\n' >keras.h5
    refuses 1 "keras.h5: an HDF5 file, but resmark-hdf5, which reads those, is not beside this" \
        alone/resmark run --weights keras.h5
    printf 'no program' >alone/resmark-hdf5
    chmod +x alone/resmark-hdf5
    refuses 1 "keras.h5: resmark-hdf5, which is beside this program and reads HDF5 files, cannot be" \
        alone/resmark run --weights keras.h5
    printf 'PK\3\4 and so on' >model.keras
    refuses 1 "model.keras: a zip archive: of a .keras model save " "${run[@]}" --weights model.keras
    refuses 1 "nosuch: No such file" "${run[@]}" --weights nosuch
    refuses 1 "cannot create the network file nosuch/x: " "$resmark" export --format safetensors \
        -o nosuch/x
    refuses 1 "the network file directory is there already" "$resmark" export --format safetensors \
        -o directory
    refuses 2 "--format nope: " "$resmark" export --format nope -o x
    refuses 2 "--format and -o FILE are needed" "$resmark" export -o x
    refuses 2 "unknown network 'nope'" "$resmark" export --format safetensors -o x --network nope
    refuses 2 "--classes 0: " "$resmark" export --format safetensors -o x --classes 0
}

# A full disk, for which a limit on the size of files stands: it lets the text pass and not the JSON.
test_full_disk() {
    local status=0 option
    (
        trap '' XFSZ
        ulimit -f 16
        "${run[@]}" --json brim.json >stdout 2>stderr
    ) || status=$?
    check "full disk: status $status" test $status -eq 1
    check "full disk: $(cat stderr)" grep -q "cannot write the result file brim.json: " stderr
    check "full disk: not one line" test "$(wc -l <stderr)" -eq 1
    check "full disk: half a file is left" test -z "$(compgen -G 'brim.json*')"
    status=0
    (
        trap '' XFSZ
        ulimit -f 16
        "$resmark" export --format safetensors -o full 2>stderr
    ) || status=$?
    check "full disk: export: status $status" test $status -eq 1
    check "full disk: $(cat stderr)" grep -q "cannot write the network file full: " stderr
    check "full disk: half a network is left" test -z "$(compgen -G 'full*')"
    for option in "run --isa $isa --max-time 0.1" "run --help" --help --version info "ceilings --json" networks "networks --json"; do
        status=0
        # shellcheck disable=SC2086 # several words
        "$resmark" $option >/dev/full 2>stderr || status=$?
        check "$option >/dev/full: status $status" test $status -eq 1
        check "$option >/dev/full: $(cat stderr)" grep -q "cannot write to st.*: No space" stderr
        check "$option >/dev/full: not one line" test "$(wc -l <stderr)" -eq 1
    done
}

# stop SIGNAL SECONDS COMMAND...: its exit status after the signal; what it says is in stdout, stderr.
stop() {
    local status=0
    timeout --foreground --preserve-status --signal "$1" "$2" "${@:3}" >stdout 2>stderr || status=$?
    echo $status
}

# Ctrl-C, or SIGTERM, at any time leaves a whole result file and status 0, or none and a reason. In
# the first moments, before resmark has anything to keep, the signal simply kills it.
test_interrupt() {
    local signal delay status
    while read -r signal delay; do
        rm -f stopped.json
        status=$(stop "$signal" "$delay" "$resmark" run --isa "$isa" --json stopped.json)
        check "$signal after $delay s: a piece is left" test -z "$(compgen -G '*.part')"
        case $status in
        0) check "$signal after $delay s: bad JSON" check_json stopped.json ;;
        1) check "$signal after $delay s: $(cat stderr)" grep -q "^resmark run: int" stderr ;;
        130 | 143) check "$signal after $delay s: killed" test "$delay" = 0.1 ;;
        *) check "$signal after $delay s: status $status" false ;;
        esac
        [ "$status" -eq 0 ] || check "$signal after $delay s: a file" test ! -e stopped.json
    done <<-END
	INT 0.1
	INT 2
	TERM 2
	END
}

# A terminal that is closed says so by SIGHUP, and takes no text any more; the file is there.
test_hangup() {
    local status
    rm -f stopped.json
    status=$(stop HUP 3 sh -c 'exec "$@" >/dev/full' sh "$resmark" run --isa "$isa" --json stopped.json)
    check "hangup: status $status" test "$status" -eq 1
    check "hangup: $(cat stderr)" grep -qE "cannot write to standard output|interrupted before" stderr
    grep -q "interrupted before" stderr || check "hangup: no file" check_json stopped.json
    status=$(stop HUP 1 nohup "${run[@]}" --max-time 2)
    check "nohup: status $status" test "$status" -eq 0
    check "nohup: interrupted: $(cat stdout)" test "$(grep -c interrupted stdout)" = 0
}

# make_result FILE [EXPRESSION]: a made-up result, changed by a Python expression on it, r.
make_result() {
    PYTHONPATH=$tests python3 -B - "$@" <<-'END'
	import json, sys
	import made_up_result
	r = made_up_result.result()
	exec(sys.argv[2] if len(sys.argv) > 2 else "")
	open(sys.argv[1], "w").write(json.dumps(r))
	END
}

# refuses_report STATUS TEXT ARGUMENT...: as refuses, and leaves no report.
refuses_report() {
    local status=$1 text=$2
    shift 2
    refuses "$status" "$text" "$resmark" report "$@"
    check "$*: left a report" test -z "$(compgen -G 'report.*')"
}

test_report_usage() {
    refuses_report 2 "no result file is named" -o report.html
    refuses_report 2 "the page needs a file: -o REPORT.html" good.json
    refuses_report 2 "cannot both be had" good.json --csv --markdown
    refuses_report 2 "--csv=rows: there is only" good.json --csv=rows
    refuses_report 2 "--nope: unknown option" good.json --nope
    refuses_report 2 "-o: it needs an argument" good.json -o
}

test_report_files() {
    local name file
    head -c 5000 good.json >cut.json
    : >empty.json
    make_result newer.json 'r["resmark"]["version"] = 99'
    make_result lacking.json 'del r["resmark"]["layers"][3:]'
    sed 's/"gflops": [0-9.e-]*/"gflops": NaN/' good.json >nan.json
    for name in cut empty newer lacking nan; do
        file=$name.json
        refuses_report 1 "cannot use the result file $file: " --markdown -o report.md good.json $file
        refuses_report 1 "cannot use the result file $file: " --csv=layers good.json $file
    done
    refuses_report 1 "use a newer one" --markdown newer.json
    refuses_report 1 "the directory directory has no file whose name ends in .json" --markdown directory
    refuses_report 1 "cannot read the result file nosuch.json: " --csv nosuch.json
    refuses_report 1 "the report /dev/full is there already" --csv good.json -o /dev/full
    refuses_report 1 "cannot create the report nosuch/x: " --csv good.json -o nosuch/x
    refuses_report 1 "would replace the result file good.json" --csv good.json -o ./good.json
}

# full_report ARGUMENT...: a report that does not fit on the disk leaves nothing.
full_report() {
    local status=0
    (
        trap '' XFSZ
        ulimit -f 1
        "$resmark" report good.json "$@" -o report.full 2>stderr
    ) || status=$?
    check "full disk: report $*: status $status" test $status -eq 1
    check "full disk: $(cat stderr)" grep -q "cannot write the report report.full: " stderr
    check "full disk: half a report is left" test -z "$(compgen -G 'report.full*')"
}

test_report_text() {
    local i
    check "a report as Markdown" "$resmark" report good.json --markdown -o report.md
    check "its row" grep -q '^| avx512 | auto | 4 | 1 | 1 | hot | .* | VALID | 00000000000000ab |$' report.md
    check "a report as CSV" "$resmark" report good.json --csv -o report.csv
    check "its lines: $(wc -l <report.csv)" test "$(wc -l <report.csv)" -eq 12
    check "a report of layers as CSV" "$resmark" report good.json --csv=layers -o report.csv
    check "its lines: $(wc -l <report.csv)" test "$(wc -l <report.csv)" -eq 61
    full_report --csv=layers
    for i in {1..40}; do ln good.json "many$i.json"; done
    check "a ranking of many" "$resmark" report many*.json --markdown -o report.md
    check "all are ranked" test "$(grep -c '^| [0-9]* | Test CPU ' report.md)" -eq 40
    check "what is left out is said" grep -q "^The other 24 results are in the ranking alone" report.md
    rm report.md report.csv
}

# The page ranks a thousand, and counts all.
crowded_report() {
    make_result small.json 'del r["resmark"]["end_to_end"][1:], r["resmark"]["layers"][6:]'
    python3 -c 'import os; os.mkdir("crowd"); [os.link("small.json", f"crowd/{i}.json") for i in range(1003)]'
    check "a report of a directory" "$resmark" report crowd -o report.html
    check "its files" python3 - <<-'END'
	import json
	data = json.loads(next(line for line in open("report.html") if line.startswith('{"version":')))
	assert data["count"] == 1003 and len(data["results"]) == 1000
	assert sum(result["detailed"] for result in data["results"]) == 16
	END
    check "all as CSV" test "$("$resmark" report crowd --csv | wc -l)" -eq 1004
}

# The page itself is looked at by tests/report_browser.py.
test_report_page() {
    if "$resmark" report good.json -o report.html 2>stderr; then
        check "the page is whole" grep -q '^</html>$' report.html
        check "the page has no data" grep -q '^{"version":"[^"]*","count":1,"results":\[{"file":"good.json"' report.html
        full_report
        crowded_report
        rm report.html
    else
        check "no page: $(cat stderr)" grep -q "built without the page: run scripts/setup" stderr
    fi
}

test_report() {
    make_result good.json
    test_report_usage
    test_report_files
    test_report_text
    test_report_page
}

# The same of resmark classify, whose partial result says that it is one.
test_classify_interrupt() {
    local signal delay status
    awk -v path="$tests/digits/0000.png" 'BEGIN { while (i++ < 300000) print path }' >many.txt
    while read -r signal delay; do
        status=$(stop "$signal" "$delay" "$resmark" classify --json --top 1 \
            --weights "$tests/digits/digits.safetensors" --list many.txt)
        case $status in
        1)
            check "classify: $signal after $delay s: $(cat stderr)" \
                grep -q "^resmark classify: interrupted after [0-9]* of 300000 images$" stderr
            check "classify: $signal after $delay s: bad JSON" python3 - <<-'END'
	import json
	result = json.load(open("stdout"))
	assert result["interrupted"] and 0 <= len(result["images"]) < 300000
	END
            ;;
        130) check "classify: $signal after $delay s: output" test ! -s stdout ;;
        *) check "classify: $signal after $delay s: status $status" false ;;
        esac
    done <<-END
	INT 0.05
	INT 1
	TERM 2
	END
}

make_pictures
isa=$(best_isa)
run=("$resmark" run --isa "$isa" --max-time 0.1)
test_usage
test_classify
test_ceilings
test_networks
test_isas
test_pictures
test_results
test_results_that_cannot_be_written
test_weights
test_report
test_full_disk
test_interrupt
test_hangup
test_classify_interrupt
echo "$checks checks, $failures failed"
[ "$failures" -eq 0 ]
