import { fileURLToPath } from 'node:url'

/** The file that starts `weir`, for processes of its own: beside this one in a checkout, beside the file that this one is part of as published. */
export const entryFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url),
)
