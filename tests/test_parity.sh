#!/bin/bash
# Usage: test_parity.sh RESMARK
# scripts/parity itself: it finds a small network to be right, notices wrong logits, goes on after a
# case that fails, and leaves out what is ok already; without PyTorch, it and scripts/train-digits say
# how to have it. 77 where its engine cannot be fetched.
set -euo pipefail

parity=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/scripts/parity
resmark=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# expect STATUS TEXT COMMAND...: the exit status, and a text in what it prints.
expect() {
    local status=0 expected=$1 text=$2
    shift 2
    "$@" >"$folder/output" 2>&1 || status=$?
    cat "$folder/output"
    if [ $status -eq 77 ] && [ "$expected" -ne 77 ]; then
        exit 77
    fi
    if [ $status -ne "$expected" ] || ! grep -qF -- "$text" "$folder/output"; then
        echo "test_parity.sh: $*: status $status, where $expected is expected, and '$text' in the output"
        exit 1
    fi
}

expect 0 '1 of 1 cases' "$parity" --quick --resmark "$resmark"

# A machine without PyTorch, whatever this one has.
cat >"$folder/sitecustomize.py" <<END
import importlib.machinery
find = importlib.machinery.PathFinder.find_spec
hide = lambda name, *more: None if name in ("torch", "torchvision") else find(name, *more)
importlib.machinery.PathFinder.find_spec = hide
END
without=(env PYTHONPATH="$folder")
expect 77 'scripts/setup --torch installs them' "${without[@]}" "$parity" --torch --resmark "$resmark"
expect 77 'scripts/setup --torch installs them' "${without[@]}" "$(dirname "$parity")/train-digits"
expect 2 "unknown option '--nope'" "$(dirname "$parity")/setup" --nope

# resmark with a wrong number for the logits of one network, and none for those of another.
cat >"$folder/wrong" <<END
#!/bin/bash
case "\$*" in *resnet34_v2*) echo 'no such luck' >&2 && exit 1 ;; esac
"$resmark" "\$@" || exit
for last; do :; done
case "\$1 \$last" in
"run "*) sed -i -E '/"resnet18_v2"/s/("exact":)\[[^,]*/\1[1e3/' "\$last" ;;
esac
END
chmod +x "$folder/wrong"
cases=(--network resnet18_v2 --network resnet34_v2 --network resnet18_v1.5 --size 32 --classes 10)
resume=(--resume "$folder/rows")
expect 1 '1 of 3 cases' "$parity" "${cases[@]}" "${resume[@]}" --resmark "$folder/wrong"
grep -q '^resnet18_v2 .*DIFFERS$' "$folder/output"
grep -q '^resnet34_v2 .*FAILED: .*no such luck$' "$folder/output"

# Another program's rows are not taken; one of the program's own would be, whatever it says.
expect 2 "$folder/rows is no file of this program" "$parity" "${cases[@]}" "${resume[@]}" --resmark "$resmark"
sed -i '/^resnet18_v1.5/s/  ok$/ (kept)  ok/' "$folder/rows"
expect 1 '(kept)  ok' "$parity" "${cases[@]}" "${resume[@]}" --resmark "$folder/wrong"
expect 2 'there is no network resnet19' "$parity" --network resnet19 --resmark "$resmark"
