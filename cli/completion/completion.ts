import { ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { didYouMean } from '../manifests/suggest.ts'

// The scripts hand the words to `weir __complete` and read its lines; `:0` as the last one means that files are to be completed.

const BASH = `# weir completion for bash. Load it with: source <(weir completion bash)
_weir() {
  local cur words=() out directive
  COMPREPLY=()
  cur="\${COMP_WORDS[COMP_CWORD]}"
  words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  # Bash splits at = and :, which belong to words of ours.
  if declare -F _get_comp_words_by_ref >/dev/null; then
    local all=() index
    _get_comp_words_by_ref -n "=:" -c cur -w all -i index
    words=("\${all[@]:1:index}")
  fi
  out="$("\${COMP_WORDS[0]}" __complete "\${words[@]}" 2>/dev/null)" || return
  directive="\${out##*:}"
  local line
  while IFS= read -r line; do
    [[ -z "$line" || "$line" == :* ]] && continue
    COMPREPLY+=("\${line%%$'\\t'*}")
  done <<<"$out"
  if [[ \${#COMPREPLY[@]} -eq 0 && "$directive" == 0 ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  elif [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == *= ]]; then
    compopt -o nospace 2>/dev/null
  fi
  declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
}
complete -F _weir weir
`

const ZSH = `#compdef weir
# weir completion for zsh. Load it with: source <(weir completion zsh)
_weir() {
  local -a out described
  local line directive
  out=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  directive="\${out[-1]}"
  for line in "\${out[@]}"; do
    [[ -z "$line" || "$line" == :* ]] && continue
    if [[ "$line" == *$'\\t'* ]]; then
      described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    else
      described+=("\${line//:/\\\\:}")
    fi
  done
  if (( \${#described} )); then
    _describe -V 'weir' described
  elif [[ "$directive" == ":0" ]]; then
    _files
  fi
}
compdef _weir weir
`

const FISH = `# weir completion for fish. Load it with: weir completion fish | source
function __weir_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l out ($words[1] __complete $words[2..-1] 2>/dev/null)
    set -l found 0
    for line in $out
        if string match -q ':*' -- $line
            if test $found -eq 0 -a "$line" = ':0'
                __fish_complete_path (commandline -ct)
            end
        else if test -n "$line"
            set found 1
            echo $line
        end
    end
end
complete -c weir -f -a '(__weir_complete)'
`

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH }

/** `weir completion SHELL`: prints the script to load. */
export async function runCompletion(io: Io, words: readonly string[]): Promise<ExitCode> {
  const [shell = '', ...more] = words
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined
  if (script === undefined || more.length > 0) {
    throw usageError(`which shell? bash, zsh or fish${shell === '' ? '' : didYouMean(shell, Object.keys(SCRIPTS))}`)
  }
  await io.out(script)
  return ExitCode.ok
}
