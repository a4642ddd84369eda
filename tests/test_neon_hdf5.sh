#!/bin/bash
# scripts/emulate-neon reads HDF5 files: its resmark starts resmark-hdf5, another AArch64 program. The
# file here holds one tensor, a/b, which is no network's.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
base64 -d <<-END | gunzip >"$folder/tiny.h5"
	H4sIAAAAAAACA+v0cHHj5ZLiYgABDg4GFgYBBmTwHwomCKHyYfIJUJoRSndA6RVMMHFGsJwEVFwQaj66upAgV1eQ6v9oAO4QqLM4
	GEbBSAQero4BIDoCNTkwnGBCVZeIlh49KLSXkYEVYhYjjA9JyYyMjCj2wGhmoDyILahgD02rDgwm3Awm/5kh8qxAUZA8ExMTIyQ9
	Q8xjZoQlbfQU3jGo4gFXfo5ggfAr2IjLzx6Co/l5ND9j5ucZbKjqkqicn0cBNvDBfjQMRsEoGAWjYBSMgpEDgv38XUAtelg73IAF
	tb2F3q4fBcSFowLzaJiQAwCl72DWkBIAAA==
	END
status=0
"$root/scripts/emulate-neon" run --weights "$folder/tiny.h5" 2>"$folder/said" >&2 || status=$?
tail -n 1 "$folder/said"
[ $status -eq 1 ]
tail -n 1 "$folder/said" | grep -qF "tiny.h5: none of its 1 tensors has a name of a network that resmark knows (a/b:0)"
