/// Why a picture could not be read or written, and what to do about it.
public struct PictureError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file, as the caller named it.
  public let path: String
  /// What is wrong.
  public let what: String
  /// What the user can do.
  public let remedy: String

  public init(path: String, what: String, remedy: String) {
    self.path = path
    self.what = what
    self.remedy = remedy
  }

  public var description: String { "\(path): \(what); \(remedy)" }
}
