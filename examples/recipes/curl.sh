#!/bin/sh
# USHER_URL=… USHER_TOKEN=… MEETING_ID=… sh curl.sh alice
# The token comes by standard input, so that no list of processes shows it. curl repeats 429, 500 and 503 by itself,
# after the time in Retry-After where there is one.
printf 'header = "Authorization: Bearer %s"\n' "$USHER_TOKEN" |
  curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused --config - \
    --header 'Content-Type: application/json' \
    --data "{\"Attendees\":[{\"ExternalUserId\":\"$1\"}]}" \
    "$USHER_URL/meetings/$MEETING_ID/attendees?operation=batch-create"
