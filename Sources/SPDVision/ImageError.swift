import SPDFormats

/// Why an image could not be read or written, and what to do about it.
public struct ImageError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file, as the caller named it.
  public let path: String
  /// What is wrong.
  public let what: String
  /// What the user can do.
  public let remedy: String
  /// True where the machine failed, not the image: too little memory, too many open files, an unresponsive disk.
  /// Another attempt may succeed.
  public let isOfTheMachine: Bool

  public init(path: String, what: String, remedy: String, isOfTheMachine: Bool = false) {
    self.path = path
    self.what = what
    self.remedy = remedy
    self.isOfTheMachine = isOfTheMachine
  }

  public var description: String { printable("\(path): \(what); \(remedy)") }
}

/// A fault in an image that does not prevent reading it.
public struct ImageWarning: Sendable, Equatable, CustomStringConvertible {
  /// The file, as the caller named it.
  public let path: String
  /// What is wrong.
  public let what: String

  public var description: String { printable("\(path): \(what)") }
}
