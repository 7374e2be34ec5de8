import module from 'node:module'

// Compiled code is kept between runs, which halves the time to the first answer; so everything else is imported after this.
module.enableCompileCache?.()
await import('./process.ts')
