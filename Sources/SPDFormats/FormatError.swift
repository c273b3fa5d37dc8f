import Foundation

/// A file that could not be read or written: which one, what is wrong, where in it, and what to do about it.
public struct FormatError: Error, CustomStringConvertible, Sendable {
  public var path: String
  /// What is wrong.
  public var problem: String
  /// Where in the file: "byte 12 of data.pkl", "tensor \"fc.weight\"".
  public var location: String?
  /// What the reader of the message can do.
  public var remedy: String?

  public init(path: String, problem: String, location: String? = nil, remedy: String? = nil) {
    self.path = path
    self.problem = problem
    self.location = location
    self.remedy = remedy
  }

  public var description: String {
    var text = "\(path): \(problem)"
    if let location { text += " (\(location))" }
    if let remedy { text += ". \(remedy)" }
    return text
  }
}

extension FormatError: LocalizedError {
  public var errorDescription: String? { description }
}

/// A name out of a file, made safe to print: quoted, control characters escaped, shortened.
func quoted(_ name: String, limit: Int = 100) -> String {
  var text = ""
  for scalar in name.unicodeScalars.prefix(limit) {
    switch scalar {
    case "\"": text += "\\\""
    case "\\": text += "\\\\"
    default:
      let isControl = scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
      if isControl {
        text += "\\u{" + String(scalar.value, radix: 16) + "}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
  let isCut = name.unicodeScalars.dropFirst(limit).isEmpty == false
  return "\"\(text)\(isCut ? "…" : "")\""
}

/// A shape as messages print it: `3×4×5`, or `scalar`.
func describe(shape: [Int]) -> String {
  if shape.isEmpty { return "scalar" }
  return shape.prefix(8).map(String.init).joined(separator: "×") + (shape.count > 8 ? "×…" : "")
}
