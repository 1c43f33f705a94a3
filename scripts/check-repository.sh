#!/usr/bin/env bash
# Cairn: a self-hosted audit trail.
# SPDX-License-Identifier: Apache-2.0
#
# Rules of the repository that no compiler checks: headers, rooms that import only rooms below them, clean texts.
set -euo pipefail
cd "$(dirname "$0")/.."
fail=0
complain() { echo "check: $*" >&2; fail=1; }

while read -r file; do
  [ -f "$file" ] || continue
  head -2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || complain "$file: the two header lines are missing"
done < <(git ls-files --cached --others --exclude-standard '*.swift' ':!Package.swift')

# Rooms, lowest first: a room imports only rooms before it in this list.
rooms=(DurableFiles Metadata KeyManagement AccessControl AuditEvent MerkleLog LogEngine EventHistory ObjectStorage Trails
  Endpoints CairnServer SampleStory cairn)
for index in "${!rooms[@]}"; do
  room=${rooms[$index]}
  for later in "${rooms[@]:index+1}"; do
    while read -r hit; do complain "$hit: $room may not import $later, which stands above it"; done \
      < <(grep -rnE "^(public |package |internal )?import $later\$" "Sources/$room" || true)
  done
done

for file in $(git ls-files --cached --others --exclude-standard 'docs/decisions/*.md'); do
  for part in Status Problem Decision Why 'Turned down' Costs Watch; do
    grep -q "^$part" "$file" || complain "$file: the part \"$part\" is missing"
  done
done

[ "$fail" -eq 0 ] && echo "check: fine"
exit "$fail"
