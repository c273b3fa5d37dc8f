import Foundation

/// Reduces the Swift compiler's messages about a model file to those that help its author.
struct ModelFileDiagnostics {
  /// The path as given by the user.
  let path: String
  let source: String
  let outcome: Toolchain.Outcome

  /// Further errors are usually consequences of the first ones.
  private static let maximumErrors = 5

  private var text: String { outcome.errors.isEmpty ? outcome.output : outcome.errors }
  private var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

  /// Why the file does not compile, with locations and source lines.
  var message: String {
    let errors = errors
    if errors.isEmpty, isCrash { return crash }
    guard !errors.isEmpty else {
      // An error without a location, such as the linker's.
      let first = lines.first { $0.contains("error:") } ?? lines.first { !$0.isEmpty } ?? "no message"
      return "\(path) does not compile:\n\(first)"
    }
    let shown = errors.prefix(Self.maximumErrors).joined(separator: "\n")
    let more = errors.count - Self.maximumErrors
    return "\(path) does not compile:\n\(shown)" + (more > 0 ? "\n… and \(more) more errors" : "")
  }

  /// Errors in the file itself, without duplicates: location and message, then the source line.
  private var errors: [String] {
    let sourceLines = source.split(separator: "\n", omittingEmptySubsequences: false)
    var errors: [String] = []
    for line in lines {
      guard line.hasPrefix(path + ":") || line.hasPrefix("/"), let range = line.range(of: ": error: "),
        let place = Place(line[..<range.lowerBound], in: path)
      else { continue }
      var text = "\(path):\(place.line):\(place.column): error: \(line[range.upperBound...])"
      if sourceLines.indices.contains(place.line - 1) { text += "\n\(sourceLines[place.line - 1])" }
      if !errors.contains(text) { errors.append(text) }
    }
    return errors
  }

  private struct Place {
    var line: Int
    var column: Int

    /// - Parameter text: `file.swift:4:13`.
    init?(_ text: Substring, in path: String) {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count >= 3, let line = Int(parts[parts.count - 2]), let column = Int(parts[parts.count - 1]),
        parts.dropLast(2).joined(separator: ":").hasSuffix(URL(fileURLWithPath: path).lastPathComponent)
      else { return nil }
      (self.line, self.column) = (line, column)
    }
  }

  // MARK: - the compiler itself fails

  private var isCrash: Bool {
    outcome.signal != nil || text.contains("Stack dump:") || text.contains("Please submit a bug report")
      || text.contains("failed due to signal")
  }

  private var crash: String {
    // `[file.swift:4:69 - line:7:1]`: what the compiler was processing, innermost last.
    let name = URL(fileURLWithPath: path).lastPathComponent
    let stack = lines.drop { !$0.hasPrefix("Stack dump:") }
    let place = stack.compactMap { line -> String? in
      guard let range = line.range(of: name + ":") else { return nil }
      let digits = line[range.upperBound...].prefix { $0.isNumber || $0 == ":" }
      return digits.isEmpty ? nil : "\(path):\(digits)"
    }.last
    let what = "swiftc crashed while it compiled \(place ?? path)"
    // A known crash: calling an existential where it is created.
    let returnsExistential = source.contains { $0 == ">" } && source.contains(/->\s*\(?\s*any\s+Layer\b/)
    let isCast = source.contains(/\bas\s+any\s+Layer\b|:\s*any\s+Layer\b/)
    if returnsExistential || isCast {
      return what
        + ": a layer of type `any Layer` cannot be called directly; let the helper return `some Layer`, or write "
        + "`x.through(helper())`"
    }
    return what + ", which is a compiler bug; rewrite that part, for example in smaller steps"
  }
}
