#!/usr/bin/env bash
# Plans every environment for which there is a kubeconfig, in the variable KUBECONFIG_<ENVIRONMENT>, and writes plan.md. Changes nothing.
# Flags for every plan are in PLAN_FLAGS, such as `--max-deletes 5 --max-fill 10TiB`.
#
# Exit codes are weir's, of the environment for which it is highest: 0 all is well, whether or not something changes; 2 invalid manifests;
# 3 the API could not be asked; 5 a gate of PLAN_FLAGS refused.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# More than this a comment cannot have.
max_bytes=60000

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -ra flags <<<"${PLAN_FLAGS:-}"

plan() { # ENVIRONMENT: its part of plan.md on stdout; weir's exit code
  local environment=$1 secret code=0
  secret="KUBECONFIG_$(tr '[:lower:]-' '[:upper:]_' <<<"$environment")"
  printf '## %s\n\n' "$environment"
  if [ -z "${!secret:-}" ]; then
    # shellcheck disable=SC2016
    printf 'Not planned: there is no secret `%s`. Pull requests from forks have none.\n\n' "$secret"
    return 0
  fi
  (umask 077 && printf '%s\n' "${!secret}" >"$work/kubeconfig")
  weir plan -k "overlays/$environment" --kubeconfig "$work/kubeconfig" -o markdown ${flags[@]+"${flags[@]}"} \
    2>"$work/errors" || code=$?
  cat "$work/errors" >&2
  case $code in
    0 | 1) ;; # 1: there are differences, which is what a pull request is for
    5) printf '\n**Refused by a gate.**\n' ;;
    *)
      printf '\n**Could not be planned** (exit code %s):\n\n```\n' "$code"
      head -c 4000 "$work/errors"
      printf '```\n'
      ;;
  esac
  printf '\n'
  [ "$code" -eq 1 ] || return "$code"
}

worst=0
for overlay in overlays/*/; do
  code=0
  plan "$(basename "$overlay")" >>"$work/plan.md" || code=$?
  [ "$code" -le "$worst" ] || worst=$code
done

if [ "$(wc -c <"$work/plan.md")" -gt "$max_bytes" ]; then
  cat "$work/plan.md"
  # Not in the middle of a character, nor of a block of code.
  head -c "$max_bytes" "$work/plan.md" | sed '$d' >plan.md
  [ $(($(grep -c '^```' plan.md) % 2)) -eq 0 ] || printf '```\n' >>plan.md
  printf '\n_Cut here; the job’s log has all of it._\n' >>plan.md
else
  cp "$work/plan.md" plan.md
fi
exit "$worst"
