import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Api } from './api.ts'
import { readBody } from './body.ts'
import type { Peers } from './peers.ts'
import type { Reply } from './question.ts'
import { rawHeader } from './raw-header.ts'
import { bytesOf, type ReplyHeads } from './reply-heads.ts'

export interface HandlerOptions {
  readonly api: Api
  readonly peers: Peers
  readonly heads: ReplyHeads
}

/** Answers requests that node:http has read. */
export function requestHandler({
  api,
  peers,
  heads,
}: HandlerOptions): (req: IncomingMessage, res: ServerResponse) => void {
  const send = (req: IncomingMessage, res: ServerResponse, reply: Reply) => {
    if (res.headersSent || res.destroyed) {
      res.destroy()
      return
    }
    res.writeHead(reply.status, heads.headers(reply, rawHeader(req, 'origin')))
    const isOneByteEach = reply.isAscii || bytesOf(reply) === reply.body.length
    res.end(req.method === 'HEAD' ? undefined : reply.body, isOneByteEach ? 'latin1' : 'utf8')
  }
  const replyTo = (req: IncomingMessage, body: string): Reply => {
    const { method = '', url: target = '', socket } = req
    try {
      const forwarded = rawHeader(req, peers.header)
      return api.answer({ method, target, body, peer: peers.peerOf(socket), forwarded })
    } catch (error) {
      return api.refuse(error, method, target)
    }
  }
  return (req, res) => {
    if (!api.takesBody(req.method, req.url)) {
      send(req, res, replyTo(req, ''))
      return
    }
    readBody(
      req,
      (body) => send(req, res, replyTo(req, body)),
      (problem) => send(req, res, api.refuse(problem, req.method, req.url)),
    )
  }
}
