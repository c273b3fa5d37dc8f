import SPDFormats

/// No image that passes the pixel limit needs a larger file.
private let fileSizeLimit = 1 << 30

/// An image file in memory, whatever its format. Never blocks: what is no regular file is refused unopened.
public func readImageFile(_ path: String) throws(ImageError) -> [UInt8] {
  do {
    return try readWholeFile(path, limit: fileSizeLimit)
  } catch {
    throw ImageError(error, path: path, remedy: "check the path and its permissions")
  }
}

/// Writes an image file, which appears whole or not at all.
func writeFile(_ bytes: [UInt8], to path: String) throws(ImageError) {
  do {
    try writeAtomically(to: path) { try $0.write(bytes) }
  } catch {
    throw ImageError(error, path: path, remedy: "check that the folder exists, may be written to and has space")
  }
}

extension ImageError {
  /// - Parameter remedy: what to do where the error does not say it and the machine is sound.
  fileprivate init(_ error: any Error, path: String, remedy: String) {
    guard let error = error as? FormatError else {
      self.init(path: path, what: "\(error)", remedy: remedy)
      return
    }
    let known = error.remedy.map { $0.prefix(1).lowercased() + $0.dropFirst() }
    self.init(
      path: path, what: error.problem,
      remedy: error.isOfTheMachine ? "see to the disk or the machine" : known ?? remedy,
      isOfTheMachine: error.isOfTheMachine)
  }
}
