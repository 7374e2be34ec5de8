import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'completion bash|zsh|fish',
  description: 'print a script that completes verbs, kinds, names and flags',
  examples: ['source <(weir completion bash)', 'weir completion fish | source'],
  load: async () => (await import('./completion.ts')).runCompletion,
}
