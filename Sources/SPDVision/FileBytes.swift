import SPDFormats

/// Larger than any image that passes the pixel limit.
private let fileSizeLimit = 1 << 30

/// Reads an image file of any format. Never blocks: only regular files are opened.
public func readImageFile(_ path: String) throws(ImageError) -> [UInt8] {
  do {
    return try readWholeFile(path, limit: fileSizeLimit)
  } catch {
    throw ImageError(error, path: path, remedy: "check the path and its permissions")
  }
}

/// Writes an image file atomically.
func writeFile(_ bytes: [UInt8], to path: String) throws(ImageError) {
  do {
    try writeAtomically(to: path) { try $0.write(bytes) }
  } catch {
    throw ImageError(error, path: path, remedy: "check that the folder exists, may be written to and has space")
  }
}

extension ImageError {
  /// - Parameter remedy: the remedy where the error has none and the machine did not fail.
  fileprivate init(_ error: any Error, path: String, remedy: String) {
    guard let error = error as? FormatError else {
      self.init(path: path, what: "\(error)", remedy: remedy)
      return
    }
    let known = error.remedy.map { $0.prefix(1).lowercased() + $0.dropFirst() }
    self.init(
      path: path, what: error.problem,
      remedy: error.isOfTheMachine ? "check the disk and the machine" : known ?? remedy,
      isOfTheMachine: error.isOfTheMachine)
  }
}
