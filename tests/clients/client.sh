#!/bin/sh
# Sends one message as shell scripts do: curl, with a form or with a URL.
# Usage: PANELSMS_URL=http://127.0.0.1:7670 sh client.sh form|url to=+1222333444 message=Hello
set -eu

way=$1
shift
for parameter; do
  shift
  set -- "$@" --data-urlencode "$parameter"
done
if [ "$way" = url ]; then
  set -- "$@" --get
fi

answer=$(curl --silent --show-error --fail --max-time 20 "$PANELSMS_URL/sendMtSms.php" \
  --data-urlencode user=you@example.com --data-urlencode apiKey=secret "$@")

echo "$answer"
case $answer in
  OK_*) echo "${answer#OK_}" ;;
  *) echo refused ;;
esac
