import Hls from './hls.min.mjs'
import { steeredLoader } from './steered-loader.js'
import { Steering } from './steering.js'

// page/?steering=http://127.0.0.1:8490&film=play/films/film/film.m3u8
const asked = new URLSearchParams(location.search)
const steering = new Steering(asked.get('steering') ?? 'http://127.0.0.1:8490')
const film = asked.get('film') ?? 'play/films/film/film.m3u8'
// Nothing is ever fetched from there: it makes the relative addresses in playlists into names of files.
const base = 'http://steered.invalid/'
const AGAIN_MS = 2000

const video = document.querySelector('#video')
const state = document.querySelector('#state')
const served = []
const failures = []

function addRow({ file, appliance, unsaid, ms, failed }) {
  const row = document.querySelector('#served').insertRow(0)
  const whom = unsaid ? `${appliance} (from memory: steering does not answer)` : appliance
  for (const text of [file, whom, ms]) row.insertCell().textContent = text
  const cell = row.insertCell()
  cell.className = 'failed'
  cell.textContent = failed.map((each) => `${each.appliance} (${each.why})`).join(', ')
}

const hls = new Hls({
  loader: steeredLoader({
    steering,
    base,
    onServed: (each) => {
      served.push({ ...each, atMs: performance.now() })
      addRow(each)
    },
    onFailed: (each) => failures.push({ ...each, atMs: performance.now() }),
  }),
  // Players keep half a minute; with so little, who has failed is noticed soon.
  maxBufferLength: 4,
  maxMaxBufferLength: 4,
})
hls.on(Hls.Events.ERROR, (_, { fatal, type, details }) => {
  if (!fatal) return
  state.textContent = `Cannot go on: ${details}`
  // Nobody could be reached for long. They may come back.
  if (type === Hls.ErrorTypes.NETWORK_ERROR)
    setTimeout(() => (hls.levels.length > 0 ? hls.startLoad() : hls.loadSource(base + film)), AGAIN_MS)
})
hls.loadSource(base + film)
hls.attachMedia(video)
hls.on(Hls.Events.MANIFEST_PARSED, () => {
  video.play().catch((error) => {
    state.textContent = `Press Play. (${error.message})`
  })
})

let waitedMs = 0
let waitingSinceMs
video.addEventListener('waiting', () => {
  waitingSinceMs ??= performance.now()
})
video.addEventListener('playing', () => {
  if (waitingSinceMs !== undefined && video.currentTime > 0.5) waitedMs += performance.now() - waitingSinceMs
  waitingSinceMs = undefined
})
video.addEventListener('timeupdate', () => {
  const last = served.at(-1)
  state.textContent = `${video.currentTime.toFixed(1)} of ${video.duration.toFixed(1)} s, the newest bytes from ${last?.appliance}; viewers have waited ${(waitedMs / 1000).toFixed(1)} s.`
})

/** For whoever looks at the page from outside. */
globalThis.play = { video, hls, served, failures }
