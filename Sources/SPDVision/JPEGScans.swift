/// Whether the scans of a JPEG file together contain every coefficient of every component to its last bit.
///
/// A decoder silently treats a missing scan as less detail, or as grey. Also false where this cannot be determined:
/// arithmetic coding, whose data may end anywhere, and truncated headers.
func hasAllScans(jpeg bytes: [UInt8]) -> Bool {
  var frame: JPEGFrame?
  var offset = 2  // after the start marker
  while let marker = nextMarker(in: bytes, from: &offset) {
    if marker == 0xD9 { break }
    if marker == 0x01 || (0xD0...0xD8).contains(marker) { continue }  // these stand alone
    guard offset + 2 <= bytes.count else { return false }
    let length = Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
    guard length >= 2, offset + length <= bytes.count else { return false }
    let segment = bytes[(offset + 2)..<(offset + length)]
    switch marker {
    case 0xC0, 0xC1, 0xC2:
      frame = JPEGFrame(segment, isProgressive: marker == 0xC2)
      if frame == nil { return false }
    case 0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF: return false
    case 0xDA: if frame?.add(scan: segment) != true { return false }
    default: break
    }
    offset += length
  }
  return frame?.isComplete == true
}

/// Finds the next marker's code and the start of its segment. In the scan data in between, 0xFF is followed by 0 or by
/// a restart marker.
private func nextMarker(in bytes: [UInt8], from offset: inout Int) -> UInt8? {
  while offset + 1 < bytes.count {
    let code = bytes[offset + 1]
    if bytes[offset] == 0xFF, code != 0, code != 0xFF {
      offset += 2
      return code
    }
    offset += 1
  }
  return nil
}

/// The coefficient bits that the scans of a frame have delivered so far.
private struct JPEGFrame {
  private let isProgressive: Bool
  /// Per component: the bits that each coefficient still lacks; 255 before its first scan.
  private var missingBits: [UInt8: [UInt8]] = [:]

  private static let coefficients = 64

  init?(_ header: ArraySlice<UInt8>, isProgressive: Bool) {
    let header = Array(header)
    guard header.count >= 6, header.count >= 6 + 3 * Int(header[5]) else { return nil }
    self.isProgressive = isProgressive
    for component in 0..<Int(header[5]) {
      missingBits[header[6 + 3 * component]] = [UInt8](repeating: 255, count: Self.coefficients)
    }
  }

  /// Adds a scan; returns false where its header is malformed.
  mutating func add(scan header: ArraySlice<UInt8>) -> Bool {
    let header = Array(header)
    guard let count = header.first.map(Int.init), header.count >= 4 + 2 * count else { return false }
    let first = isProgressive ? Int(header[1 + 2 * count]) : 0
    let last = isProgressive ? Int(header[2 + 2 * count]) : Self.coefficients - 1
    let bits = isProgressive ? header[3 + 2 * count] & 15 : 0
    guard first <= last, last < Self.coefficients else { return false }
    for index in 0..<count {
      for coefficient in first...last { missingBits[header[1 + 2 * index]]?[coefficient] = bits }
    }
    return true
  }

  var isComplete: Bool { !missingBits.isEmpty && missingBits.values.allSatisfy { $0.allSatisfy { $0 == 0 } } }
}
