#!/usr/bin/env bash
# Installs what the clients need into build/clients, at the versions that are pinned here, and lists in
# build/clients/ready which of them can run. What is there already and has not changed is kept.
#
# Without a runtime its clients are named and left out; with CI=true that is a failure.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(cd "$here/../../.." && pwd)/build/clients
mkdir -p "$out"
: >"$out/ready"
failed=false

# has tells whether all programs of some clients are there, and says so if not.
has() {
  local clients=$1 hint=$2 program
  shift 2
  for program; do
    command -v "$program" >/dev/null && continue
    if [[ ${CI:-} == true ]]; then
      echo "make clients: no $program, which $clients need ($hint)" >&2
      failed=true
    else
      echo "make clients: SKIPPED $clients: no $program ($hint)" >&2
    fi
    return 1
  done
}

# changed tells whether a directory has to be made anew: whether the files that it is made of have changed.
changed() {
  local dir=$1
  shift
  sum=$(cat "$@" | cksum)
  [[ ! -f $dir/made || $(<"$dir/made") != "$sum" ]] || return 1
  rm -rf "$dir"
  mkdir -p "$dir"
}

made() { echo "$sum" >"$1/made"; }

ready() { printf '%s\n' "$@" >>"$out/ready"; }

if has 'the clients in Go' 'go.dev' go; then
  go build -C "$here/golang" -o "$out/golang/" ./typed ./core
  ready go-typed go-core
fi

if has 'the clients in Python' 'Debian: apt-get install python3-venv' python3; then
  if changed "$out/python" "$here/python/requirements.txt"; then
    python3 -m venv "$out/python"
    "$out/python/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$here/python/requirements.txt"
    made "$out/python"
  fi
  ready python-v1 python-v2
fi

if has 'the clients in JavaScript' 'Debian: apt-get install nodejs npm' node npm; then
  if changed "$out/node" "$here/node/package.json" "$here/node/package-lock.json"; then
    cp "$here/node/package.json" "$here/node/package-lock.json" "$out/node/"
    npm ci --prefix "$out/node" --loglevel=error --ignore-scripts --no-audit --no-fund
    made "$out/node"
  fi
  ready node-v1 node-v2
fi

if has 'the clients in Java' 'Debian: apt-get install default-jdk-headless maven' java javac mvn; then
  for version in v1 v2; do
    if changed "$out/java-$version" "$here/java-$version/"*; then
      mvn --quiet --batch-mode -Dstyle.color=never -f "$here/java-$version/pom.xml" \
        org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies "-DoutputDirectory=$out/java-$version/lib"
      javac -encoding UTF-8 -d "$out/java-$version" -cp "$out/java-$version/lib/*" "$here/java-$version/Drive.java"
      made "$out/java-$version"
    fi
    ready "java-$version"
  done
fi

if has 'the clients without an SDK' 'Debian: apt-get install curl openssl' curl openssl; then
  ready curl
fi
[[ $failed == false ]]
