import { expect, test } from '@jest/globals'
import { inProcess } from '../in-process.ts'

const secret = `apiVersion: v1
kind: Secret
metadata: {name: s}
stringData:
  password: [hunter22]
  token: 1234567
`

test.each(['text', 'json', 'sarif', 'junit', 'github'])(
  'what is secret is in no report of what is wrong with it: %s',
  async (output) => {
    const { code, stdout, stderr } = await inProcess(['validate', '-f', '-', '-o', output], { input: secret })
    expect(code).toBe(2)
    expect(stdout).toContain('stringData.password')
    expect(stdout + stderr).not.toMatch(/hunter22|1234567|aHVudGVyMjI/)
  },
)
