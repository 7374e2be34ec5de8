import { describe, expect, test } from '@jest/globals'
import { readSuppositions, type Supposition } from '../../../cli/plan/what-if.ts'

describe('suppositions', () => {
  const read: [text: string, meaning: Supposition][] = [
    ['add=fra1:hc-large', { type: 'add', site: 'fra1', class: 'hc-large', count: 1 }],
    ['add=fra1:hc-large:12', { type: 'add', site: 'fra1', class: 'hc-large', count: 12 }],
    ['remove=ams2/box-7', { type: 'remove', site: 'ams2', appliance: 'box-7' }],
    ['remove=ams?/*', { type: 'remove', site: 'ams?', appliance: '*' }],
    ['class=ams1/*:hc-flash', { type: 'class', site: 'ams1', appliance: '*', class: 'hc-flash' }],
  ]
  test.each(read)('%s', (text, meaning) => {
    expect(readSuppositions([text])).toEqual([meaning])
  })

  const refused: [text: string, reason: string][] = [
    ['fra1', 'says not what'],
    ['move=fra1/a:ams1', 'no such verb'],
    ['add=fra1', 'of no class'],
    ['add=fra1:', 'of no class'],
    ['add=fra?:small', 'at no one site'],
    ['add=fra1:small:0', 'none'],
    ['add=fra1:small:1.5', 'no whole number'],
    ['add=fra1:small:100000', 'too many to be meant'],
    ['add=fra1:small:1:1', 'too much'],
    ['remove=fra1', 'a site, and no appliance: that would be all of it'],
    ['remove=fra1/a:small', 'of a class'],
    ['remove=isp/fra1/a', 'the namespace is that of -n'],
    ['class=fra1/a', 'to no class'],
    ['class=fra1/a:*', 'to no one class'],
    ['', 'nothing'],
  ]
  test.each(refused)('refuses %j: %s', (text) => {
    expect(() => readSuppositions([text])).toThrow(`--what-if ${text}: `)
  })
})
