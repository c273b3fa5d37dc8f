/// A builder for HTML fragments. All text is escaped.
package protocol Markup {
  var body: String { get set }
}

extension Markup {
  package mutating func heading(_ text: String) { body += "<h2>\(escaped(text))</h2>\n" }
  package mutating func paragraph(_ text: String) { body += "<p>\(escaped(text))</p>\n" }

  /// Appends well-formed markup without escaping.
  package mutating func markup(_ markup: String) { body += markup + "\n" }

  /// Appends name–value pairs.
  package mutating func facts(_ facts: [(name: String, value: String)]) {
    let items = facts.map { "<div><dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd></div>" }
    body += "<dl class=\"facts\">\(items.joined())</dl>\n"
  }

  /// - Parameter marked: indices of rows to emphasise.
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

/// A section of a report, contributed by one component.
public struct ReportSection: Markup, Sendable {
  package var body = ""

  public init(_ heading: String) { self.heading(heading) }
}
