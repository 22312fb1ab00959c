#!/usr/bin/env bash
# Makes one call with nothing but curl and openssl: the older signature by hand, everything in the query of a GET.
#
#   KEY=… SECRET=… [TOKEN=…] [FORMAT=JSON|XML] [CA=file] call.sh http://127.0.0.1:8080 ecs DescribeSecurityGroups RegionId=cn-hangzhou
#
# Prints the body, and on a last line the status.
set -euo pipefail
export LC_ALL=C

# encode percent-encodes all but what RFC 3986 leaves unreserved, byte by byte, into $encoded.
encode() {
  local text=$1 char i
  encoded=$text
  [[ $text == *[!A-Za-z0-9._~-]* ]] || return 0
  encoded=''
  for ((i = 0; i < ${#text}; i++)); do
    char=${text:i:1}
    if [[ $char != [A-Za-z0-9._~-] ]]; then
      printf -v char '%02X' "'$char"
      char=%${char: -2}
    fi
    encoded+=$char
  done
}

url=$1 product=$2
parameters=("Action=$3" "${@:4}" "AccessKeyId=$KEY" "SignatureMethod=HMAC-SHA1" "SignatureVersion=1.0"
  "SignatureNonce=$(openssl rand -hex 16)" "Timestamp=$(date -u +%Y-%m-%dT%H:%M:%SZ)")
case $product in
  ecs) parameters+=("Version=2014-05-26") ;;
  sts) parameters+=("Version=2015-04-01") ;;
esac
[[ -z ${FORMAT:-} ]] || parameters+=("Format=$FORMAT")
[[ -z ${TOKEN:-} ]] || parameters+=("SecurityToken=$TOKEN")

pairs=() query=()
for parameter in "${parameters[@]}"; do
  encode "${parameter%%=*}" && pair=$encoded
  encode "${parameter#*=}" && pairs+=("$pair=$encoded")
  query+=(--data-urlencode "$parameter")
done
# Sorted by name, and encoded once more: of what has to be, only these three are in it.
canonical=$(printf '%s\n' "${pairs[@]}" | sort -t= -k1,1 | paste -sd '&')
canonical=${canonical//%/%25} canonical=${canonical//=/%3D} canonical=${canonical//&/%26}
signature=$(printf %s "GET&%2F&$canonical" | openssl dgst -sha1 -hmac "$SECRET&" -binary | openssl base64 -A)

trust=()
[[ -z ${CA:-} ]] || trust=(--cacert "$CA")
curl --silent --show-error --max-time 30 --noproxy '*' --get ${trust[@]+"${trust[@]}"} "${query[@]}" \
  --data-urlencode "Signature=$signature" --write-out '\n%{http_code}' "$url/"
