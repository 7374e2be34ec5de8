import { expect, test } from '@jest/globals'
import { buildWorld } from '../../reconcilers/steering/build-world.ts'
import { putAppliance } from '../../reconcilers/steering/update.ts'
import { Steerer } from '../../steering/steerer.ts'
import { appliance, site } from '../reconcilers/fleet.ts'

const at = (name: string, url: string) => appliance(name, 'edge', { status: { addresses: [{ type: 'HTTP', url }] } })

const world = buildWorld(
  {
    sites: [site('edge')],
    appliances: [
      at('plain', 'http://plain.example'),
      at('below', 'https://shared.example/below/'),
      at('deeper', 'https://shared.example/below/still'),
    ],
  },
  0,
)
const steerer = new Steerer({ world, clientMap: () => ({ find: () => undefined }), random: () => 0 })
const meant = (text: string) => world.applianceKeys[steerer.applianceOf(text) ?? -1]

test.each([
  ['its name', 'default/plain', 'default/plain'],
  ['its base', 'http://plain.example', 'default/plain'],
  ['a URL of it', 'http://plain.example/play/films/one.mp4', 'default/plain'],
  ['a URL as long as the longest base', 'http://plain.example/play/films/o', 'default/plain'],
  ['a base with a path', 'https://shared.example/below/play/one.mp4', 'default/below'],
  ['the longest of several bases', 'https://shared.example/below/still/one.mp4', 'default/deeper'],
  ['a host that begins alike', 'http://plain.example.org/play/films/one.mp4', undefined],
  ['a path above every base', 'https://shared.example/', undefined],
])('an answer’s URL means the appliance it was given for: %s', (_, text, expected) => {
  expect(meant(text)).toBe(expected)
})

test('an appliance that moves is meant by its new address, and no more by its old one', () => {
  putAppliance(world, at('plain', 'http://moved.example'))
  expect(meant('http://moved.example/play/films/one.mp4')).toBe('default/plain')
  expect(meant('http://plain.example/play/films/one.mp4')).toBeUndefined()
  putAppliance(world, at('plain', 'http://plain.example'))
})

test('a text of slashes takes no longer than it is read', () => {
  const texts = Array.from({ length: 3000 }, (_, i) => `https://${'/'.repeat(2000)}${i}`)
  const startedMs = performance.now()
  expect(texts.filter((text) => meant(text) !== undefined)).toEqual([])
  // Each of its 2,000 beginnings looked up, these take some ten seconds.
  expect(performance.now() - startedMs).toBeLessThan(3000)
})
