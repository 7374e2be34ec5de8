import { extname } from 'node:path'

const TEXT = '; charset=utf-8'
/** By file name extension: pages, what they are made of, and what players read. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': `text/html${TEXT}`,
  '.css': `text/css${TEXT}`,
  '.js': `text/javascript${TEXT}`,
  '.mjs': `text/javascript${TEXT}`,
  '.json': 'application/json',
  '.txt': `text/plain${TEXT}`,
  '.md': `text/markdown${TEXT}`,
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mpd': 'application/dash+xml',
  '.mp4': 'video/mp4',
  '.m4v': 'video/mp4',
  '.m4a': 'audio/mp4',
  '.m4s': 'video/iso.segment',
  '.ts': 'video/mp2t',
  '.webm': 'video/webm',
  '.aac': 'audio/aac',
  '.mp3': 'audio/mpeg',
  '.vtt': `text/vtt${TEXT}`,
  '.ttml': 'application/ttml+xml',
}

/** The media type of a file by its name; undefined where the name does not tell. */
export function contentTypeOf(path: string): string | undefined {
  return TYPES[extname(path).toLowerCase()]
}
