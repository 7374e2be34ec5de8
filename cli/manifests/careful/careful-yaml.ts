import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import type { JsonValue } from '../../../crds/metadata.ts'
import type { Located, LocatedChild } from '../locate.ts'
import { otherReading } from '../plain/scalars.ts'
import type { ProblemCode } from '../problem.ts'
import type { Span } from '../span.ts'

/** Something wrong with a document. Offsets count from where its text starts. */
export interface YamlError {
  readonly code: ProblemCode
  readonly span: Span
  readonly message: string
}

/** A document as it was read, or everything wrong with it. Offsets count from where its text starts. */
export type CarefulResult =
  | {
      readonly value: JsonValue
      readonly root: Located
      /** Texts that kubectl reads as something else. */
      readonly ambiguous: readonly Span[]
    }
  | { readonly errors: readonly YamlError[] }

/** Objects that aliases may expand a document to; far more than any manifest needs, far less than a bomb. */
const MAX_NODES_BY_ALIAS = 100_000
const MAX_DEPTH = 200
/** More errors than this in one document help nobody. */
const MAX_ERRORS = 100
const TWICE = 'this key is there twice'
const CORE_TAGS = new Set(['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((t) => `tag:yaml.org,2002:${t}`))

/** Reads one document, whatever YAML it is written in, as YAML 1.2 core. */
export function readCarefully(text: string): CarefulResult {
  const parsed = parseDocument(text, { intAsBigInt: true, merge: true, prettyErrors: false, logLevel: 'silent' })
  const syntax = syntaxErrors(parsed)
  if (syntax.length > 0) return { errors: syntax.map((error) => ({ code: 'syntax', ...error })) }
  const reader = new Reader()
  const contents = parsed.contents as Node | null
  const value = reader.read(contents)
  if (reader.errors.length > 0) return { errors: reader.errors }
  return { value, root: new YamlNode(reader.targets, contents), ambiguous: reader.ambiguous }
}

/** The first syntax error (later ones follow from it) and every duplicate key. */
function syntaxErrors(parsed: Document): { readonly span: Span; readonly message: string }[] {
  const version = parsed.directives?.yaml.version
  if (version === '1.1') return [{ span: { start: 0, end: 1 }, message: 'YAML 1.1 is not read; write YAML 1.2' }]
  const deep = parsed.errors.find((e) => e.code === 'RESOURCE_EXHAUSTION')
  if (deep) return [{ span: spanOf(deep.pos), message: 'nested too deeply' }]
  const [first, ...rest] = parsed.errors
  if (!first) return []
  const kept = [first, ...rest.filter((e) => e.code === 'DUPLICATE_KEY' && first.code === 'DUPLICATE_KEY')]
  return kept.map((e) => ({ span: spanOf(e.pos), message: wording(e.code, e.message) }))
}

const spanOf = (pos: readonly [number, number]): Span => ({ start: pos[0], end: pos[1] })

function wording(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return TWICE
  if (code === 'TAB_AS_INDENT') return 'a tab indents here; YAML indents with spaces'
  return message.slice(0, 1).toLowerCase() + message.slice(1)
}

/** Turns nodes into JSON, collecting what JSON (or an API server) cannot carry. */
class Reader {
  readonly errors: YamlError[] = []
  readonly ambiguous: Span[] = []
  /** What each alias stands for: the last node before it that has its anchor. */
  readonly targets = new Map<Alias, Node>()
  readonly #anchors = new Map<string, Node>()
  #aliasDepth = 0
  #nodesByAlias = 0

  read(node: Node | null | undefined, depth = 0): JsonValue {
    if (!node) return null
    if ('anchor' in node && node.anchor && this.#aliasDepth === 0) this.#anchors.set(node.anchor, node)
    if (depth > MAX_DEPTH) return this.#refuse('syntax', node, 'nested too deeply')
    if (this.#aliasDepth > 0 && ++this.#nodesByAlias > MAX_NODES_BY_ALIAS) {
      if (this.#nodesByAlias === MAX_NODES_BY_ALIAS + 1) this.#refuse('syntax', node, 'aliases expand to too much')
      return null
    }
    if (isAlias(node)) return this.#alias(node, depth)
    const tag = node.tag
    if (tag !== undefined && !CORE_TAGS.has(tag)) return this.#refuse('syntax', node, `tag ${tag} is not supported`)
    if (isScalar(node)) return this.#scalar(node)
    if (isSeq(node)) return node.items.map((item) => this.read(item as Node, depth + 1))
    if (isMap(node)) return this.#map(node, depth)
    return this.#refuse('syntax', node, 'is not a value')
  }

  #alias(node: Alias, depth: number): JsonValue {
    const target = this.targets.get(node) ?? this.#anchors.get(node.source)
    if (!target) return this.#refuse('syntax', node, `no anchor "${node.source}" comes before this alias`)
    this.targets.set(node, target)
    this.#aliasDepth++
    const value = this.read(target, depth + 1)
    this.#aliasDepth--
    return value
  }

  #scalar(node: Scalar): JsonValue {
    const { value, source = '' } = node
    if (typeof value === 'bigint') {
      if (/^[-+]?0[0-9]/.test(source)) {
        return this.#refuse(
          'number',
          node,
          `${source} is ambiguous: YAML 1.1 reads it as octal. Leave out the zero, or quote it`,
        )
      }
      const number = Number(value)
      return Number.isSafeInteger(number)
        ? number
        : this.#refuse('number', node, `${source} is beyond 2^53 and would be rounded`)
    }
    if (typeof value === 'number') {
      return Number.isFinite(value)
        ? value
        : this.#refuse('number', node, `${source} is not a number that JSON can carry`)
    }
    if (typeof value === 'string') this.#noteAmbiguous(node, value)
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
    return this.#refuse('syntax', node, 'is not a string, number, boolean or null')
  }

  #map(node: YAMLMap, depth: number): JsonValue {
    const entries = new Map<string, JsonValue>()
    const merged: [string, JsonValue][] = []
    for (const pair of node.items) {
      const key = pair.key as Node | null
      if (isMergeKey(key)) merged.push(...this.#merge(pair, depth))
      else {
        const name = this.#key(key, node)
        // The parser takes 1 and "1" for two keys; JSON does not.
        if (name !== undefined && entries.has(name)) this.#refuse('syntax', key ?? node, TWICE)
        if (name !== undefined) entries.set(name, this.read(pair.value as Node | null, depth + 1))
      }
    }
    return Object.fromEntries([...merged, ...entries])
  }

  /** `<<: *base` or `<<: [*a, *b]`, where the first wins. */
  #merge(pair: Pair, depth: number): [string, JsonValue][] {
    const value = this.read(pair.value as Node | null, depth + 1)
    const bases = Array.isArray(value) ? [...value].reverse() : [value]
    if (bases.every((b) => typeof b === 'object' && b !== null && !Array.isArray(b))) {
      return bases.flatMap((b) => Object.entries(b as Record<string, JsonValue>))
    }
    this.#refuse('syntax', pair.value as Node, 'only a map can be merged')
    return []
  }

  #key(key: Node | null, map: Node): string | undefined {
    if (isAlias(key)) this.#alias(key, 0)
    const target = isAlias(key) ? this.targets.get(key) : key
    if (isScalar(target) && target.anchor) this.#anchors.set(target.anchor, target)
    if (isScalar(target) && target.value !== null && typeof target.value !== 'symbol') {
      if (typeof target.value === 'string') this.#noteAmbiguous(target, target.value)
      return typeof target.value === 'string' ? target.value : (target.source ?? String(target.value))
    }
    this.#refuse('syntax', key ?? map, 'a key must be a string')
    return undefined
  }

  #noteAmbiguous(node: Scalar, text: string): void {
    if (node.type === 'PLAIN' && otherReading(text) !== undefined) this.ambiguous.push(nodeSpan(node))
  }

  #refuse(code: ProblemCode, node: Node, message: string): null {
    if (this.errors.length < MAX_ERRORS) this.errors.push({ code, span: nodeSpan(node), message })
    return null
  }
}

const isMergeKey = (key: Node | null) => isScalar(key) && typeof key.value === 'symbol'

function nodeSpan(node: Node | null | undefined): Span {
  const range = node?.range
  return range ? { start: range[0], end: Math.max(range[1], range[0] + 1) } : { start: 0, end: 1 }
}

type Targets = ReadonlyMap<Alias, Node>

/** A node of the parsed document, as a place. Aliases stand for what they name. */
class YamlNode implements Located {
  readonly #targets: Targets
  readonly #node: Node | null

  constructor(targets: Targets, node: Node | null) {
    this.#targets = targets
    this.#node = resolved(targets, node)
  }

  get span(): Span {
    return nodeSpan(this.#node)
  }

  get isWritten(): boolean {
    const range = this.#node?.range
    return range ? range[1] > range[0] : false
  }

  firstKey(): Span | undefined {
    const node = this.#node
    return isMap(node) && node.items[0] ? nodeSpan(node.items[0].key as Node) : undefined
  }

  child(step: string | number): LocatedChild | undefined {
    const found = child(this.#targets, this.#node, step)
    return found && { key: found.key, value: new YamlNode(this.#targets, found.value) }
  }
}

interface Child {
  readonly key: Span | undefined
  readonly value: Node | null
}

function child(targets: Targets, node: Node | null, step: string | number): Child | undefined {
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step] as Node | undefined
    return item ? { key: undefined, value: item } : undefined
  }
  if (!isMap(node)) return undefined
  for (const pair of node.items) {
    const key = resolved(targets, pair.key as Node | null)
    const name = isScalar(key)
      ? typeof key.value === 'string'
        ? key.value
        : (key.source ?? String(key.value))
      : undefined
    if (name === String(step)) return { key: nodeSpan(pair.key as Node), value: pair.value as Node | null }
  }
  for (const pair of node.items) {
    if (!isMergeKey(pair.key as Node | null)) continue
    const base = resolved(targets, pair.value as Node | null)
    const bases = isSeq(base) ? base.items.map((item) => resolved(targets, item as Node)) : [base]
    for (const map of bases) {
      const found = child(targets, map, step)
      if (found) return found
    }
  }
  return undefined
}

function resolved(targets: Targets, node: Node | null): Node | null {
  return isAlias(node) ? (targets.get(node) ?? null) : node
}
