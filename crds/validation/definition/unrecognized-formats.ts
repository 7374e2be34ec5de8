import { stringFormat } from '../formats/string-formats.ts'
import { internalSpec, schemasOf } from './internal.ts'
import { anywhere } from './options.ts'
import type { AnySchema, Definition } from './types.ts'

/** Formats in the schemas of a definition that are not checked, in the order they are found. */
export function unrecognizedFormats(definition: Definition): string[] {
  const formats: string[] = []
  for (const schema of schemasOf(internalSpec(definition.spec))) {
    anywhere(schema, (one) => {
      if (one.format && !isRecognized(one)) formats.push(one.format)
      return false
    })
  }
  return formats
}

function isRecognized({ type = '', format = '' }: AnySchema): boolean {
  switch (type) {
    case '':
    case 'string':
      return stringFormat(format) !== undefined
    case 'integer':
      return format === 'int32' || format === 'int64'
    case 'number':
      return format === 'float' || format === 'double'
    default:
      return false
  }
}
