import { startApiServer } from '../../../apiserver/server.ts'

// An embedded API server as a process of its own, to be killed. Says its URL and where its kubeconfig is, a line each, once it is ready.
//   node test/drills/support/api-process.ts FOLDER [PORT]

const [, , folder = '', port = '0'] = process.argv
const server = await startApiServer({ dataDir: folder, port: Number(port) })
process.once('SIGTERM', () => {
  server.close().then(() => process.exit(0))
})
console.log(server.url)
console.log(server.kubeconfigPath)
