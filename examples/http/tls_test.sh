#!/usr/bin/env bash
# The site by https, with a certificate made for this one run.
#
#   tls_test.sh PROGRAM FOLDER
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
  -subj /CN=site -addext subjectAltName=IP:127.0.0.1 \
  -keyout "$work/site.key" -out "$work/site.pem" 2>"$work/told" || { cat "$work/told"; exit 1; }
"$1" "$2" "$work/site.pem" "$work/site.key"
