/** A copy that all threads see; a column that they see already as it is. */
export function shared<T extends Float64Array | Uint32Array | Uint8Array>(column: T): T {
  if (column.buffer instanceof SharedArrayBuffer) return column
  const buffer = new SharedArrayBuffer(column.byteLength)
  const copy =
    column instanceof Float64Array
      ? new Float64Array(buffer)
      : column instanceof Uint32Array
        ? new Uint32Array(buffer)
        : new Uint8Array(buffer)
  copy.set(column)
  return copy as T
}
