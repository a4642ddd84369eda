#!/bin/sh
# Usage: kernel_files.sh SOURCE_ROOT
# A kernel's file that meson.build does not name would be built into nothing and noticed by nobody.
set -eu

# Prints the files under $1/kernels/*/ that $1/meson.build has no entry for.
unlisted() {
    (cd "$1" && for file in kernels/*/*.c; do
        grep -qF "'$file'" meson.build || echo "$file"
    done)
}

# The check itself must notice a file that is too many.
fake=$(mktemp -d)
trap 'rm -rf "$fake"' EXIT
mkdir -p "$fake/kernels/scalar"
touch "$fake/kernels/scalar/listed.c" "$fake/kernels/scalar/forgotten.c"
echo "'kernels/scalar/listed.c'" >"$fake/meson.build"
if [ "$(unlisted "$fake")" != kernels/scalar/forgotten.c ]; then
    echo "kernel_files.sh does not notice an unlisted file"
    exit 1
fi

missing=$(unlisted "$1")
if [ -n "$missing" ]; then
    echo "not in meson.build: $missing"
    exit 1
fi
