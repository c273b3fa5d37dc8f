/// The C text of the kernels, by file name without extension, as they lie in `templates/kernels`.
public struct Templates: Sendable {
  private let texts: [String: String]

  private let preambles: [String: String]

  /// - Parameter texts: whole files. The paragraph "Holes." that ends an opening comment speaks to who fills them, and is not
  ///   printed. An opening comment without holes holds for all instances of its template; it is
  ///   printed once, by `preamble`, and not with each of them.
  public init(_ texts: [String: String]) {
    var bodies: [String: String] = [:]
    var preambles: [String: String] = [:]
    for (name, file) in texts {
      let text = Self.withoutHoles(file)
      bodies[name] = text
      guard text.hasPrefix("/*"), let end = text.firstRange(of: "*/\n\n") else { continue }
      let (opening, body) = (text[..<end.lowerBound], text[end.upperBound...])
      guard !opening.contains("@"), body.contains("@NAME@") else { continue }
      preambles[name] = opening + "*/\n"
      bodies[name] = String(body)
    }
    self.texts = bodies
    self.preambles = preambles
  }

  private static func withoutHoles(_ text: String) -> String {
    guard let holes = text.firstRange(of: "\n *\n * Holes."), let end = text[holes.upperBound...].firstRange(of: "*/")
    else { return text }
    return text[..<holes.lowerBound] + "\n " + text[end.lowerBound...]
  }

  /// The opening comment of a template whose instances do not repeat it; empty if there is none.
  func preamble(_ name: String) -> String { preambles[name] ?? "" }

  /// Fills the `@NAME@` holes of a template. A line that was only a hole is removed if the hole is filled with nothing.
  ///
  /// - Throws: `TemplateError` if a hole has no value, a value no hole, or an `@` survives.
  public func fill(_ name: String, _ holes: [String: String]) throws(TemplateError) -> String {
    guard let text = texts[name] else { throw TemplateError("there is no template \(name)") }
    var result = ""
    var used: Set<String> = []
    // Splitting at @ gives text and hole names alternately. Finding bytes is ten times as fast as finding characters.
    let pieces = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false).map(Substring.init)
    guard pieces.count % 2 == 1 else { throw TemplateError("template \(name) has an odd number of @") }
    for (index, piece) in pieces.enumerated() {
      if index % 2 == 0 {
        result += piece
      } else {
        guard let value = holes[String(piece)] else {
          throw TemplateError("template \(name) has the hole @\(piece)@, which nothing fills")
        }
        guard !value.contains("@") else { throw TemplateError("the value of @\(piece)@ contains an @") }
        used.insert(String(piece))
        result += value
        if value.isEmpty, pieces[index + 1].first == "\n" {
          let indented = result.lastIndex { $0 != " " }
          if let indented, result[indented] == "\n" { result.removeSubrange(indented...) }
        }
      }
    }
    if let unused = Set(holes.keys).subtracting(used).sorted().first {
      throw TemplateError("template \(name) has no hole @\(unused)@")
    }
    return result
  }
}

/// A template and the values for it that do not fit together: a fault of the compiler.
public struct TemplateError: Error, CustomStringConvertible, Sendable, Equatable {
  public var description: String
  init(_ description: String) { self.description = description }
}
