/** The largest manifest file that is read, in bytes. 10,000 sites take some 6 MB. */
export const MAX_FILE_BYTES = 32 * 1024 * 1024

/** Reads a stream to its end, or until it is longer than any manifest file may be. */
export async function readAll(stream: AsyncIterable<Uint8Array | string>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    const bytes =
      typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    chunks.push(bytes)
    size += bytes.length
    if (size > MAX_FILE_BYTES) break
  }
  return Buffer.concat(chunks)
}
