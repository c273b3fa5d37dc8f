#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// No image that passes the pixel limit needs a larger file, and a device such as /dev/zero never ends.
private let fileSizeLimit = 1 << 30

/// An image file in memory, whatever its format.
public func readImageFile(_ path: String) throws(ImageError) -> [UInt8] {
  func failed(_ code: Int32) -> ImageError {
    let what = "cannot be read (\(systemMessage(code)))"
    if code == EISDIR { return ImageError(path: path, what: what, remedy: "name an image in it") }
    // Other codes than these are no property of the path.
    if [ENOENT, EACCES, EPERM, ENOTDIR, ELOOP, ENAMETOOLONG, EINVAL, ENXIO].contains(code) {
      return ImageError(path: path, what: what, remedy: "check the path and its permissions")
    }
    return ImageError(path: path, what: what, remedy: "see to the disk or the machine", isOfTheMachine: true)
  }
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { throw failed(errno) }
  defer { close(file) }

  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 18)
  while true {
    let count = read(file, &chunk, chunk.count)
    if count == 0 { return bytes }
    if count < 0 {
      if errno == EINTR { continue }
      throw failed(errno)
    }
    bytes.append(contentsOf: chunk[..<count])
    if bytes.count > fileSizeLimit {
      throw ImageError(path: path, what: "the file is larger than 1 GiB", remedy: "give a smaller image")
    }
  }
}

/// Writes under a temporary name in the same folder, then renames: a reader never sees half a file, and a failure
/// leaves what was there.
func writeFile(_ bytes: [UInt8], to path: String) throws(ImageError) {
  func failed(_ code: Int32) -> ImageError {
    ImageError(
      path: path, what: "cannot be written (\(systemMessage(code)))",
      remedy: "check that the folder exists, may be written to and has space")
  }
  let temporary = "\(path).\(getpid())-\(UInt32.random(in: .min ... .max)).tmp"
  let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
  guard file >= 0 else { throw failed(errno) }

  var written = 0
  var problem: Int32 = 0
  while written < bytes.count && problem == 0 {
    let count = bytes.withUnsafeBytes { write(file, $0.baseAddress! + written, $0.count - written) }
    if count >= 0 { written += count } else if errno != EINTR { problem = errno }
  }
  if close(file) != 0 && problem == 0 { problem = errno }
  if problem == 0 && rename(temporary, path) != 0 { problem = errno }
  if problem != 0 {
    unlink(temporary)
    throw failed(problem)
  }
}

private func systemMessage(_ code: Int32) -> String {
  guard let message = strerror(code) else { return "error \(code)" }
  return String(cString: message)
}
