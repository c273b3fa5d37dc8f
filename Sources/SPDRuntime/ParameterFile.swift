import SPD

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The checked binary file of a network's parameters (`.spdw`).
///
/// All numbers are little-endian. A header of 64 bytes (magic `SPDW`, version, graph hash, length, number of tensors),
/// then one record of 64 bytes per tensor (offset, count, digest, name hash, name, shape), then the names, then the
/// tensors as float32, each at a multiple of 64 bytes: so the file can be mapped, or put into flash, as it is. The digest
/// is FNV-1a over the tensor's 32-bit words.
public final class ParameterFile: @unchecked Sendable {
  public static let version: UInt32 = 1

  /// Calls `body` with the whole file in memory, aligned to 64 bytes; the pointer is valid only during the call.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) { try body(UnsafeRawBufferPointer(storage)) }
  }

  private let storage: UnsafeMutableRawBufferPointer
  private let isMapped: Bool

  private init(storage: UnsafeMutableRawBufferPointer, isMapped: Bool) {
    self.storage = storage
    self.isMapped = isMapped
  }

  deinit {
    if isMapped { munmap(storage.baseAddress!, storage.count) } else { free(storage.baseAddress) }
  }

  /// Maps a file; generated code checks its contents before it uses them.
  public convenience init(mapping path: String) throws {
    // Opening a FIFO must not wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw RuntimeError.file(path: path, reason: String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var info = stat()
    guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
      throw RuntimeError.file(path: path, reason: "this is no regular file")
    }
    guard info.st_size > 0 else { throw RuntimeError.file(path: path, reason: "the file is empty") }
    guard let base = mmap(nil, Int(info.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
      throw RuntimeError.file(path: path, reason: String(cString: strerror(errno)))
    }
    self.init(storage: UnsafeMutableRawBufferPointer(start: base, count: Int(info.st_size)), isMapped: true)
  }

  /// Lays out parameters in memory.
  ///
  /// - Parameters:
  ///   - parameters: those that the network stores, in its order.
  ///   - values: row-major values of one; its count must be the parameter's.
  public convenience init(
    graphHash: UInt64, parameters: [Parameter], values: (Parameter) throws -> [Float]
  ) throws {
    let header = 64
    var names = header + 64 * parameters.count
    let nameBytes = parameters.reduce(0) { $0 + $1.name.utf8.count }
    var offset = roundUp(names + nameBytes)
    let total = parameters.reduce(offset) { roundUp($0) + 4 * $1.count }
    let memory = try AlignedBuffer.raw(byteCount: roundUp(total))
    _ = memory.initializeMemory(as: UInt8.self, repeating: 0)
    for (index, byte) in "SPDW".utf8.enumerated() { memory[index] = byte }
    memory.storeBytes(of: Self.version.littleEndian, toByteOffset: 4, as: UInt32.self)
    memory.storeBytes(of: graphHash.littleEndian, toByteOffset: 8, as: UInt64.self)
    memory.storeBytes(of: UInt64(memory.count).littleEndian, toByteOffset: 16, as: UInt64.self)
    memory.storeBytes(of: UInt32(parameters.count).littleEndian, toByteOffset: 24, as: UInt32.self)
    do {
      for (index, parameter) in parameters.enumerated() {
        let values = try values(parameter)
        guard values.count == parameter.count else {
          throw RuntimeError.parameter(
            name: parameter.name, reason: "\(values.count) values where \(parameter.shape) needs \(parameter.count)")
        }
        offset = roundUp(offset)
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
        for (k, value) in values.enumerated() {
          let word = value.bitPattern.littleEndian
          memory.storeBytes(of: word, toByteOffset: offset + 4 * k, as: UInt32.self)
          digest = (digest ^ UInt64(value.bitPattern)) &* 0x100_0000_01b3
        }
        let record = header + 64 * index
        let longs: [UInt64] = [UInt64(offset), UInt64(values.count), digest, fnv1a(parameter.name.utf8)]
        for (k, value) in longs.enumerated() {
          memory.storeBytes(of: value.littleEndian, toByteOffset: record + 8 * k, as: UInt64.self)
        }
        let dimensions = parameter.shape.map { UInt32($0) } + Array(repeating: 0, count: 4 - parameter.shape.count)
        let words = [UInt32(names), UInt32(parameter.name.utf8.count), UInt32(parameter.shape.count)] + dimensions
        for (k, value) in words.enumerated() {
          memory.storeBytes(of: value.littleEndian, toByteOffset: record + 32 + 4 * k, as: UInt32.self)
        }
        for byte in parameter.name.utf8 {
          memory[names] = byte
          names += 1
        }
        offset += 4 * values.count
      }
    } catch {
      free(memory.baseAddress)
      throw error
    }
    self.init(storage: memory, isMapped: false)
  }

  /// Reads the tensors back, checking everything that generated code checks.
  ///
  /// - Throws: `RuntimeError` naming the file's fault.
  public func tensors(path: String = "parameter file") throws -> [(name: String, shape: [Int], values: [Float])] {
    try withBytes { try Self.tensors($0, path: path) }
  }

  private static func tensors(
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws -> [(name: String, shape: [Int], values: [Float])] {
    func fault(_ reason: String) -> RuntimeError { .file(path: path, reason: reason) }
    guard bytes.count >= 64, bytes.prefix(4).elementsEqual("SPDW".utf8) else {
      throw fault("this is no parameter file (it does not begin with SPDW)")
    }
    func word(_ at: Int) -> Int { Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))) }
    func long(_ at: Int) -> UInt64 { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) }
    guard word(4) == Int(version) else { throw fault("version \(word(4)) is not known; this program reads 1") }
    let count = word(24)
    guard long(16) <= UInt64(bytes.count), count <= (bytes.count - 64) / 64 else { throw fault("the file is cut off") }
    return try (0..<count).map { index in
      let record = 64 + 64 * index
      let name = word(record + 32)..<word(record + 32) + word(record + 36)
      let rank = word(record + 40)
      guard name.upperBound <= bytes.count, rank <= 4, long(record) % 4 == 0, long(record) <= UInt64(bytes.count),
        long(record + 8) <= (UInt64(bytes.count) - long(record)) / 4
      else { throw fault("record \(index) points outside of the file") }
      let offset = Int(long(record))
      var digest: UInt64 = 0xcbf2_9ce4_8422_2325
      let values = (0..<Int(long(record + 8))).map { k -> Float in
        let bits = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4 * k, as: UInt32.self))
        digest = (digest ^ UInt64(bits)) &* 0x100_0000_01b3
        return Float(bitPattern: bits)
      }
      let text = String(decoding: bytes[name], as: UTF8.self)
      let shape = (0..<rank).map { word(record + 44 + 4 * $0) }
      guard digest == long(record + 16) else { throw fault("\(text) is damaged: it does not match its digest") }
      guard shape.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue }) == values.count else {
        throw fault("\(text) has \(values.count) values, but its shape is \(shape)")
      }
      return (text, shape, values)
    }
  }
}

extension AlignedBuffer {
  fileprivate static func raw(byteCount: Int) throws -> UnsafeMutableRawBufferPointer {
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, 64, byteCount) == 0, let pointer else {
      throw RuntimeError.outOfMemory(bytes: byteCount)
    }
    return UnsafeMutableRawBufferPointer(start: pointer, count: byteCount)
  }
}

private func roundUp(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }
