/** A measured number. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What it has to be for us to be content; absent: for information. */
  readonly target?: { readonly atLeast: number } | { readonly atMost: number }
}

export interface Report {
  /** Something to know for reading the figures: what ran, beside what. */
  note(text: string): void
  /** Rows that are compared with each other; the first row holds the headings. */
  table(rows: readonly (readonly string[])[]): void
  figure(figure: Figure): void
}

/** One sub-benchmark; its module is loaded only if it is chosen. */
export interface Benchmark {
  readonly name: string
  /** One line for the list. */
  readonly about: string
  /** Whether it runs where none is named; the others must be asked for. */
  readonly byDefault: boolean
  readonly run: (report: Report) => Promise<void>
}
