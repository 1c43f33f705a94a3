#!/usr/bin/env bash
# Cairn: a self-hosted audit trail.
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages that the build and the tests need, if they are missing.
set -euo pipefail

command -v swift >/dev/null || { echo "Swift 6.2 or later is needed: https://www.swift.org/install/linux/" >&2; exit 1; }
command -v dpkg-query >/dev/null || exit 0  # not Debian: the linker will say what is missing

missing=()
for package in libzstd-dev zlib1g-dev libdeflate-dev liblz4-dev libpcre2-dev libsqlite3-dev libp11-kit-dev libqrencode-dev pkg-config softhsm2 opensc python3-venv curl; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
# A Python that brings venv along (pyenv and the like) needs no package for it.
if python3 -c 'import venv, ensurepip' 2>/dev/null; then missing=("${missing[@]/python3-venv/}"); fi
missing=(${missing[@]})
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
