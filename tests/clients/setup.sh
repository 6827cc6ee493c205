#!/usr/bin/env bash
# Installs third-party clients under target/clients, one environment each since they do not
# co-install. What is missing here makes the tests that need it print why they are skipped.
set -u
cd "$(dirname "$0")/../.."
dir=target/clients
mkdir -p "$dir"

venv() { # NAME PACKAGE...
  name=$1; shift
  [ -f "$dir/$name/.ready" ] && return
  python3 -m venv "$dir/$name" && "$dir/$name/bin/pip" install --quiet --disable-pip-version-check "$@" &&
    touch "$dir/$name/.ready"
}

if command -v python3 >/dev/null; then
  venv mcp1 'mcp==1.30.0'
  venv mcp2 'mcp==2.3.0'
  venv rest 'openapi-python-client==0.29.1' ruff
  venv openai 'openai==3.54.0'
  venv python 'pytest>=8'
  venv openenv 'openenv==0.10.0'
  venv openreward 'openreward==0.1.167'
else
  echo "no python3: Python clients are skipped"
fi

if command -v npm >/dev/null; then
  if [ ! -f "$dir/node/.ready" ]; then
    npm install --silent --no-fund --no-audit --prefix "$dir/node" \
      'node@22' '@modelcontextprotocol/conformance@0.2.0-alpha.12' && touch "$dir/node/.ready"
  fi
else
  echo "no npm: the MCP conformance suite is skipped"
fi
