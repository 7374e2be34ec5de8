/**
 * Compiles a glob over catalog paths: `*` stays within a segment, `**` crosses segments, `?` is one character, anything else is itself.
 * Source: the gitignore pattern rules, without classes and negation.
 */
export function globMatcher(glob: string): (path: string) => boolean {
  let pattern = ''
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i]!
    if (char !== '*') {
      pattern += char === '?' ? '[^/]' : char.replace(/[\\^$.|+()[\]{}]/, '\\$&')
    } else if (glob[i + 1] !== '*') {
      pattern += '[^/]*'
    } else if (glob[i + 2] === '/') {
      pattern += '(?:.*/)?'
      i += 2
    } else {
      pattern += '.*'
      i += 1
    }
  }
  const expression = new RegExp(`^${pattern}$`, 'su')
  return (path) => expression.test(path)
}
