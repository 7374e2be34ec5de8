import { startApiServer } from '../../apiserver/server.ts'

// Weir's API server alone, as a process to be measured: node bench/apiserver/serve.ts FOLDER PORT
const [, , dataDir = '', port = '0'] = process.argv
const server = await startApiServer({ dataDir, port: Number(port) })
process.once('SIGTERM', () => server.close())
