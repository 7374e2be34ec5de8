#!/usr/bin/env node
// kubectl runs `kubectl_complete-weir` to complete words after `kubectl weir`, and reads what cobra's `__complete` prints.
process.argv.splice(2, 0, '__complete')
await import('./bin.js')
