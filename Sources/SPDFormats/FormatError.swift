import Foundation

/// A file that could not be read or written: its path, what is wrong, where, and the remedy.
public struct FormatError: Error, CustomStringConvertible, Sendable {
  public var path: String
  /// What is wrong.
  public var problem: String
  /// Where in the file: "byte 12 of data.pkl", "tensor \"fc.weight\"".
  public var location: String?
  /// What the user can do.
  public var remedy: String?
  /// True where the machine failed, not the file: too many open files, an unresponsive disk. Another attempt may
  /// succeed.
  public var isOfTheMachine: Bool

  public init(
    path: String, problem: String, location: String? = nil, remedy: String? = nil, isOfTheMachine: Bool = false
  ) {
    self.path = path
    self.problem = problem
    self.location = location
    self.remedy = remedy
    self.isOfTheMachine = isOfTheMachine
  }

  public var description: String {
    var text = "\(path): \(problem)"
    if let location { text += " (\(location))" }
    if let remedy { text += ". \(remedy)" }
    return printable(text)
  }
}

extension FormatError: LocalizedError {
  public var errorDescription: String? { description }
}

/// Formats a shape for messages: `3×4×5`, or `scalar`.
func describe(shape: [Int]) -> String {
  if shape.isEmpty { return "scalar" }
  return shape.prefix(8).map(String.init).joined(separator: "×") + (shape.count > 8 ? "×…" : "")
}
