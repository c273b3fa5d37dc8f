/// Names that close comments and strings, splice lines, form trigraphs, fill template holes, or are invisible.
package let hostileTexts = [
  "x*/ int y; /*", "*/", "/*", "/", "*", "**/", "a\nint b;", "a\\\nb", "a??/\nb", "\\", "@NAME@", "a\"b", "\u{202E}abc",
  "\u{1B}[2J", "\0", "a\u{2028}b", "\u{E000}",
]
