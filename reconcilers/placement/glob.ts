/** More wildcards than this in one glob, and an expression of them may try each against each: the match then goes by states. */
const MOST_TRIED = 2

/**
 * Compiles a glob over catalog paths: `*` stays within a segment, `**` crosses segments, `?` is one character, anything else is itself. However a glob is made, a match
 * takes at most the path's length times the glob's, or the square of the path's. Source: the gitignore pattern rules, without classes and negation.
 */
export function globMatcher(glob: string): (path: string) => boolean {
  const tokens = tokensOf(glob)
  if (tokens.filter((token) => token in LOOPS).length > MOST_TRIED) return (path) => matches(tokens, path)
  const expression = new RegExp(`^${tokens.map(expressionOf).join('')}$`, 'su')
  return (path) => expression.test(path)
}

/** Wildcards that may take any number of characters. */
const LOOPS: Readonly<Record<string, string>> = { '*': '[^/]*', '**': '.*', '**/': '(?:.*/)?' }

/** A wildcard, `?`, or one character that is itself. */
type Token = string

function tokensOf(glob: string): Token[] {
  return glob.match(/\*\*\/|\*\*|[\s\S]/gu) ?? []
}

function expressionOf(token: Token): string {
  return LOOPS[token] ?? (token === '?' ? '[^/]' : token.replace(/[\\^$.|+()[\]{}]/, '\\$&'))
}

/** Goes through the path once, with all tokens in mind that may be next. */
function matches(tokens: readonly Token[], path: string): boolean {
  let now = new Uint8Array(tokens.length + 1)
  let then = new Uint8Array(tokens.length + 1)
  // Every loop may take nothing.
  const reach = (states: Uint8Array, from: number) => {
    for (let i = from; states[i] === 0; i++) {
      states[i] = 1
      if (!(tokens[i]! in LOOPS)) return
    }
  }
  reach(now, 0)
  for (const char of path) {
    then.fill(0)
    for (let i = 0; i < tokens.length; i++) {
      if (now[i] === 0) continue
      const token = tokens[i]!
      if (token === '**/') {
        // What it takes ends with a slash; until then it only goes on.
        then[i] = 1
        if (char === '/') reach(then, i + 1)
      } else if (token in LOOPS) {
        if (token === '**' || char !== '/') reach(then, i)
      } else if (token === '?' ? char !== '/' : char === token) reach(then, i + 1)
    }
    ;[now, then] = [then, now]
  }
  return now[tokens.length] === 1
}
