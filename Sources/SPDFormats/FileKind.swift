/// The kind of a file, detected by its content; names and extensions are ignored.
enum FileKind: Equatable {
  case safetensors, npy, zip
  case legacyTorch, pickle, tar, gitLFS, unknown

  init(_ bytes: [UInt8]) {
    func starts(with magic: [UInt8]) -> Bool { bytes.starts(with: magic) }
    // The pickled magic number 0x1950a86a20f9469cfc6c that opens torch.save files before 1.6.
    let legacy: [UInt8] = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
    if starts(with: [0x50, 0x4b, 3, 4]) || starts(with: [0x50, 0x4b, 5, 6]) {
      self = .zip
    } else if starts(with: NPYHeader.magic) {
      self = .npy
    } else if bytes.count > 8, bytes[8] == UInt8(ascii: "{") {
      self = .safetensors
    } else if starts(with: legacy) {
      self = .legacyTorch
    } else if starts(with: [0x80]), bytes.count > 1, (2...5).contains(bytes[1]) {
      self = .pickle
    } else if bytes.count > 262, bytes[257..<262].elementsEqual("ustar".utf8) {
      self = .tar
    } else if starts(with: Array("version https://git-lfs".utf8)) {
      self = .gitLFS
    } else {
      self = .unknown
    }
  }
}
