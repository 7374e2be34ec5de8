#!/usr/bin/env bash
# Checks the manifests of every environment, without a cluster. On GitHub, what is wrong is shown at its line of the pull request.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

format=text
[ "${GITHUB_ACTIONS:-}" = true ] && format=github

status=0
for overlay in overlays/*/; do
  echo "--- ${overlay%/}" >&2
  # As they are written, so that everything has its line; then as they are built, with what patches make of them.
  weir validate -f 'base/*/*.yaml' -f "${overlay}*/*.yaml" -o "$format" || status=$?
  [ "$status" -ne 0 ] || weir validate -k "$overlay" || status=$?
done
exit "$status"
