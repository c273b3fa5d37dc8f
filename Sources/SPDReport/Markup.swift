/// HTML that is put together from parts which are whole in themselves. Every text is escaped.
package protocol Markup {
  var body: String { get set }
}

extension Markup {
  package mutating func heading(_ text: String) { body += "<h2>\(escaped(text))</h2>\n" }
  package mutating func paragraph(_ text: String) { body += "<p>\(escaped(text))</p>\n" }

  /// Markup that is whole in itself.
  package mutating func markup(_ markup: String) { body += markup + "\n" }

  /// Values with their names, side by side.
  package mutating func facts(_ facts: [(name: String, value: String)]) {
    let items = facts.map { "<div><dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd></div>" }
    body += "<dl class=\"facts\">\(items.joined())</dl>\n"
  }

  /// - Parameter marked: rows to emphasise, by index.
  package mutating func table(header: [String], rows: [[String]], marked: Set<Int> = []) {
    func cells(_ fields: [String], _ tag: String) -> String {
      fields.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined()
    }
    let lines = rows.enumerated().map { index, row in
      "<tr\(marked.contains(index) ? " class=\"marked\"" : "")>\(cells(row, "td"))</tr>"
    }
    body += "<div class=\"wide\"><table><thead><tr>\(cells(header, "th"))</tr></thead>\n<tbody>\n"
    body += lines.joined(separator: "\n") + "\n</tbody></table></div>\n"
  }
}

/// A section of a report: what one part of the program contributes to a page.
public struct ReportSection: Markup, Sendable {
  package var body = ""

  public init(_ heading: String) { self.heading(heading) }
}
