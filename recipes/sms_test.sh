#!/bin/sh
# A shell script with curl against a sandbox.
#
#     panelsms-sandbox serve &
#     PANELSMS_SANDBOX_URL=http://127.0.0.1:7670 sh sms_test.sh
#
# The tests talk to a session of their own, so that they disturb nobody who uses the same sandbox.
set -eu
session=${PANELSMS_SANDBOX_URL:-http://127.0.0.1:7670}/s/shell-$$
trap 'curl -s -o /dev/null -X DELETE "$session"' EXIT

# Send a message, and print the answer: send +34600000001 Hello [parameter=value …]
send() {
  to=$1 message=$2
  shift 2
  for parameter; do # each becomes two arguments of curl
    shift
    set -- "$@" --data-urlencode "$parameter"
  done
  curl -sS --max-time 10 "$session/sendMtSms.php" -d user=you@example.com -d apiKey=secret \
    --data-urlencode "to=$to" --data-urlencode "message=$message" "$@"
}

# Ask the control API, and fail where it does not do it: control POST clock/advance '{"by": "1h"}'
control() {
  curl -sS --fail-with-body -X "$1" ${3:+--data "$3"} "$session/_sandbox/$2"
}

# Fail unless the text has a part: has "$text" part
has() {
  case $1 in *"$2"*) ;; *)
    echo "FAILED  $test: no $2 in: $1" >&2
    exit 1
    ;;
  esac
}

# Begin a test, with everything as at the start.
begin() {
  test=$1
  control POST reset >/dev/null
  control PUT clock '{"mode": "virtual"}' >/dev/null
}

begin 'a message is delivered'
has "$(send +34600000001 'Código 1234' transactionId=order-1)" OK_order-1
control POST clock/advance '{"by": "1s"}' >/dev/null
has "$(control GET 'messages/wait?transactionId=order-1&status=delivered&timeout=5')" '"text":"Código 1234"'
echo "ok      $test"

begin 'a delivery is waited for on a clock that runs'
control PUT clock '{"mode": "x60"}' >/dev/null # a second passes in a sixtieth of one
send +34600000001 Hello >/dev/null
has "$(control GET 'messages/wait?status=delivered&timeout=5')" '"total":1'
echo "ok      $test"

begin 'an empty account is told by its code'
has "$(send +15005550009 Hello)" ERROR_9
has "$(control GET messages)" '"total":0'
echo "ok      $test"

begin 'a queue that is full once takes the second attempt'
control PUT scenario '{"yaml": "{name: full, rules: [{when: {nth: 1}, respond: {error: 6}}]}"}' >/dev/null
has "$(send +34600000001 Hello)" ERROR_6
has "$(send +34600000001 Hello)" OK_
control POST verify '{"match": {"to": "+34600000001"}, "count": {"exactly": 1}}' >/dev/null
echo "ok      $test"

begin 'a message expires after two days'
send +15005551004 Hello >/dev/null
control POST clock/advance '{"by": "48h"}' >/dev/null
has "$(control GET messages/latest)" '"status":"expired"'
echo "ok      $test"
