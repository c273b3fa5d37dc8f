import SPDFormats
import SPDVision

/// Why a data set, or one of its images, cannot be used, and the remedy.
public struct DataError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file or folder; for images inside a file, the file and the image's index.
  public let path: String
  /// What is wrong.
  public let what: String
  /// What the user can do.
  public let remedy: String
  /// True where the machine failed, not the data: another attempt may succeed. Such an image is not skipped as broken
  /// ones are.
  public let isOfTheMachine: Bool
  /// True where something could not be written.
  public let isOutput: Bool

  public init(path: String, what: String, remedy: String, isOfTheMachine: Bool = false, isOutput: Bool = false) {
    self.path = path
    self.what = what
    self.remedy = remedy
    self.isOfTheMachine = isOfTheMachine
    self.isOutput = isOutput
  }

  public var description: String { printable("\(path): \(what); \(remedy)") }

  init(_ error: ImageError) {
    self.init(path: error.path, what: error.what, remedy: error.remedy, isOfTheMachine: error.isOfTheMachine)
  }

  init(_ error: FormatError) {
    let location = error.location.map { " (\($0))" } ?? ""
    self.init(
      path: error.path, what: error.problem + location,
      remedy: error.isOfTheMachine ? "check the disk and the machine" : error.remedy ?? "download the data set again",
      isOfTheMachine: error.isOfTheMachine)
  }
}

/// Reads a file into memory; errors are `DataError`.
func readDataFile(_ path: String) throws(DataError) -> [UInt8] {
  try translatingErrors(path) { try readWholeFile(path) }
}

/// Runs code of the formats module and translates its errors to `DataError`.
func translatingErrors<Value>(_ path: String, _ body: () throws -> Value) throws(DataError) -> Value {
  do {
    return try body()
  } catch let error as FormatError {
    throw DataError(error)
  } catch let error as DataError {
    throw error
  } catch {
    throw DataError(path: path, what: "cannot be read (\(error))", remedy: "check the path and its permissions")
  }
}
