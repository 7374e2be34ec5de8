import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveFolder } from '../../runtime/http-files/folder.ts'

// Serves a folder, as a process of its own; prints its port.
//   node bench/fill/origin.ts FOLDER

const root = process.argv[2] ?? '.'
const server = createServer((request, response) => {
  serveFolder(root, request, response).catch(() => response.destroy())
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
