/** Requests that are assumed of each file of a title beside those that were seen. */
const EVEN = 1

/**
 * A title's demand among its files, as popularity is ranked per file: in proportion to the requests that each has had, drawn to equal parts as far as these are few.
 * `requests` by file; the answer in the same order adds up to `demand`. Throws a RangeError that names the file where one is NaN or negative.
 */
export function amongFiles(demand: number, requests: ArrayLike<number>): Float64Array {
  if (!(demand >= 0 && demand < Infinity)) throw new RangeError(`${demand} is no demand`)
  let all = 0
  for (let i = 0; i < requests.length; i++) {
    if (!(requests[i]! >= 0 && requests[i]! < Infinity)) throw new RangeError(`file ${i}: ${requests[i]} is no count`)
    all += requests[i]! + EVEN
  }
  return Float64Array.from(requests, (seen) => (demand * (seen + EVEN)) / all)
}
