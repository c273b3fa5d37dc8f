import SPDFormats

/// Why an image could not be read or written, and what to do about it.
public struct ImageError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file, as the caller named it.
  public let path: String
  /// What is wrong.
  public let what: String
  /// What the user can do.
  public let remedy: String
  /// The machine failed, and not the image: too little memory, too many open files, a disk that does not answer.
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

/// Something about an image that was read all the same.
public struct ImageWarning: Sendable, Equatable, CustomStringConvertible {
  /// The file, as the caller named it.
  public let path: String
  /// What is wrong.
  public let what: String

  public var description: String { printable("\(path): \(what)") }
}
