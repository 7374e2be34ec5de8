import { startApiServer } from '../../apiserver/server.ts'
import { openBlobStore } from '../../runtime/blob-store.ts'

// Weir's API server alone, as a process to be measured: node bench/apiserver/serve.ts FOLDER PORT
const [, , dataDir = '', port = '0'] = process.argv
// The blobs that it hands out, where there are any: WEIR_BENCH_BLOBS=FOLDER.
const folder = process.env.WEIR_BENCH_BLOBS
const blobs = folder === undefined ? {} : { blobs: await openBlobStore(folder, { shared: true }) }
const server = await startApiServer({ dataDir, port: Number(port), ...blobs })
process.once('SIGTERM', () => server.close())
