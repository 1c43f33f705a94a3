#!/usr/bin/env bash
# Cairn: a self-hosted audit trail.
# SPDX-License-Identifier: Apache-2.0
#
# The whole story in a temporary folder: record, look up, deliver, prove, and find a changed byte.
# EVENTS=file tells it with your own events; COUNT=n makes the made-up story longer.
set -euo pipefail
cairn=${CAIRN:-.build/release/cairn}
work=$(mktemp -d "${TMPDIR:-/tmp}/cairn-demo.XXXXXX")
server=
finish() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  rm -rf "$work"
}
trap finish EXIT

bold=; plain=
if [ -t 1 ]; then bold=$(printf '\033[1m'); plain=$(printf '\033[0m'); fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
run() { printf '%s$ cairn %s%s\n' "$bold" "$*" "$plain"; "$cairn" "$@"; }

say "1. A service starts in $work, on free ports, with embedded defaults"
"$cairn" serve --data "$work/data" --api 127.0.0.1:0 --oss 127.0.0.1:0 --sls 127.0.0.1:0 --delivery-interval 0.5 \
  --log-level warning >"$work/ready" 2>"$work/log" &
server=$!
for _ in $(seq 200); do
  grep -q '^cairn ready' "$work/ready" && break
  kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.05
done
cat "$work/ready"
port() { tr ' ' '\n' <"$work/ready" | sed -n "s/^$1=//p"; }
CAIRN_ENDPOINT=$(port api); CAIRN_OSS_ENDPOINT=$(port oss); CAIRN_DATA=$work/data
export CAIRN_ENDPOINT CAIRN_OSS_ENDPOINT CAIRN_DATA

say "2. A trail delivers everything from now on to a bucket"
run bucket create audit-archive
run trail create main-trail --bucket audit-archive --start

say "3. Events are recorded: durable, encrypted, in the Merkle tree before the answer"
if [ -n "${EVENTS:-}" ]; then
  run put "$EVENTS"
  id=$("$cairn" lookup --start 3650d --limit 500 --output json | grep -v '"eventName":"PutEvents"' | head -1 |
    sed -n 's/.*"eventId":"\([^"]*\)".*/\1/p')
  say "4. The newest of them"
  run lookup --start 3650d --limit 10
else
  eval "$("$cairn" sample -n "${COUNT:-3000}" --seed 1 --cast)"
  "$cairn" sample -n "${COUNT:-3000}" --seed 1 >"$work/story.ndjson"
  echo "(a small company's normal week, made up; on the sixth day an access key leaks)"
  run put "$work/story.ndjson"
  echo "Sending the same file again records nothing twice:"
  run put "$work/story.ndjson"
  id=$DECISIVE_EVENT_ID

  say "4. An alert says: the access key $LEAKED_KEY of $LEAKED_KEY_OWNER was used from $INTRUDER_ADDRESS. What did it do from there?"
  run lookup -a EventAccessKeyId="$LEAKED_KEY" -a SourceIpAddress="$INTRUDER_ADDRESS" --oldest-first --limit 25
  say "   It made itself a user. What did $INTRUDER_USER do?"
  run lookup -a User="$INTRUDER_USER" --oldest-first --limit 25
  say "   Who touched the bucket $BUCKET, writing?"
  run lookup -a ResourceName="$BUCKET" -a EventRW=Write --limit 10
  say "   Sensitive actions from that address"
  run lookup -a SensitiveAction=true -a SourceIpAddress="$INTRUDER_ADDRESS" --oldest-first
  say "   And all failed sign-ins of the week, oldest first"
  "$cairn" lookup -a EventName=ConsoleSignin --oldest-first --limit 500 | grep -v ' ok  ' | head -12
fi

say "5. Proof that the decisive event is in the log, for someone who does not trust this machine"
curl -fsS "$CAIRN_ENDPOINT/log/key" >"$work/log.key"
run proof "$id" --to "$work/proof" --embed
proof=$(ls "$work"/proof/*.tlog-proof)
run verify "$proof" --key "$work/log.key"

say "6. What was delivered: gzip objects in the vendor's layout, signed digests beside them"
for _ in $(seq 100); do
  "$cairn" trail status main-trail | grep -q 'WaitingEventCount *[0-9]$' && break
  sleep 0.2
done
run trail status main-trail
"$cairn" bucket list audit-archive >"$work/list"
head -6 "$work/list"; echo "... $(wc -l <"$work/list") objects"

say "7. An auditor takes the objects and the log's public key home, and verifies them offline"
run bucket download audit-archive --to "$work/archive"
kill "$server"; wait "$server" || true; server=
echo "(the service is stopped: nothing below needs it)"
run verify "$work/archive" --key "$work/log.key"

say "8. Somebody changes one byte of one delivered object"
victim=$(find "$work/archive" -name '*.gz' | sort | sed -n 2p)
[ -n "$victim" ] || victim=$(find "$work/archive" -name '*.gz' | head -1)
size=$(wc -c <"$victim"); at=$((size / 2))
byte=$(dd if="$victim" bs=1 skip=$at count=1 2>/dev/null | od -An -tu1 | tr -d ' ')
printf "$(printf '\\%03o' $((byte ^ 1)))" | dd of="$victim" bs=1 seek=$at conv=notrunc 2>/dev/null
echo "byte $at of ${victim#"$work/archive/"}"
if run verify "$work/archive" --key "$work/log.key" >"$work/verdict"; then
  cat "$work/verdict"; echo "the change went unnoticed: this must not happen" >&2; exit 1
fi
cat "$work/verdict"
grep -q "$(basename "$victim")" "$work/verdict"

say "That is the story: recorded, looked up, delivered, proved. Start your own with: make run"
