#!/bin/sh
# install.sh <folder> <node>: finishes what `npm ci --ignore-scripts` has put into a folder: SQLite is built for the
# Node that stands there. The headers come with that Node, so that nothing is fetched from anywhere else.
set -eu
if ! command -v c++ >/dev/null || ! command -v make >/dev/null; then
  command -v apt-get >/dev/null || { echo "A C++ compiler and make are needed: install them, then try again." >&2; exit 1; }
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends g++ make
fi
npm=$(dirname "$2")/../lib/node_modules/npm
[ -d "$npm" ] || npm=$(npm root --global)/npm
cd "$1"
headers=$(cd "$(ls -d node_modules/node-*-*/include/node | head -n 1)/../.." && pwd)
ln -sf "$headers/bin/node" node
cd node_modules/better-sqlite3
PATH=$headers/bin:$PATH node "$npm/node_modules/node-gyp/bin/node-gyp.js" rebuild --release --nodedir="$headers"
