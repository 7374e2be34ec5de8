/**
 * Text from elsewhere made fit for a terminal: escape sequences and other control characters become visible, as kubectl shows
 * them (ESC as `^[`, carriage return as `\r`). Tabs and newlines stay.
 */
export function escapeTerminal(text: string): string {
  return text.replaceAll('\u001b', '^[').replaceAll('\r', '\\r')
}

/** As `escapeTerminal`, for messages of our own: every control character but tab and newline is made visible. */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (c) => {
    const code = c.charCodeAt(0)
    return code < 0x20 ? `^${String.fromCharCode(code + 64)}` : `\\x${code.toString(16)}`
  })
}

/** As `visible`, for what must stay on its line: tabs and newlines are made visible too. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll('\t', '^I').replaceAll('\n', '^J')
}
