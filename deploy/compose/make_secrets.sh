#!/bin/sh
# Makes every secret of compose.yaml that is not there yet: 32 random bytes, as hexadecimal digits. Each is readable
# by the gateway (user 65532) and by the one other service that needs it, through its group.
set -eu
umask 077
cd "$1"
chmod 0755 .

make() {
  [ -s "$1" ] && return 0
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$1.new"
  chown "$2" "$1.new"
  chmod 0440 "$1.new"
  mv "$1.new" "$1"
}

make jwt_secret 65532:65532
make postgres_password 65532:999
make scrape_token 65532:65534
make grafana_password 472:0
