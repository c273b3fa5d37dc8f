// Only the orientation of the camera is read from Exif. Malformed data means "upright", as the pixels are fine.

/// Returns the orientation (1...8) in the first Exif segment of a JPEG file; 1 if there is none.
func exifOrientation(ofJPEG bytes: [UInt8]) -> Int {
  let signature = Array("Exif\0\0".utf8)
  var offset = 2  // after the start marker
  while offset + 4 <= bytes.count, bytes[offset] == 0xFF {
    let marker = bytes[offset + 1]
    if marker == 0xFF {  // a fill byte
      offset += 1
      continue
    }
    if marker == 0xDA || marker == 0xD9 { break }  // pixels, or the end
    let length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
    let end = offset + 2 + length
    guard length >= 2, end <= bytes.count else { break }
    let segment = bytes[(offset + 4)..<end]
    if marker == 0xE1, segment.starts(with: signature),
      let orientation = exifOrientation(ofTIFF: segment.dropFirst(signature.count))
    {
      return orientation
    }
    offset = end
  }
  return 1
}

/// Returns the orientation (1...8) in the first directory of an Exif block, which has the layout of a TIFF file; nil if it
/// has none.
///
/// As in OpenCV, the 16 bits at the value's position are read, whatever type the entry declares. So a little-endian LONG is
/// understood; a big-endian one gives its upper half, which is invalid and treated as upright.
package func exifOrientation(ofTIFF block: ArraySlice<UInt8>) -> Int? {
  let bigEndian = block.starts(with: Array("MM".utf8))
  guard bigEndian || block.starts(with: Array("II".utf8)) else { return nil }

  /// Reads the unsigned number of `size` bytes at `offset` from the start of the block; nil outside it.
  func number(at offset: Int, size: Int) -> Int? {
    guard offset >= 0, offset <= block.count - size else { return nil }
    let start = block.startIndex + offset
    let bytes = block[start..<(start + size)]
    return (bigEndian ? Array(bytes) : bytes.reversed()).reduce(0) { $0 << 8 | Int($1) }
  }
  let orientationTag = 0x0112
  guard number(at: 2, size: 2) == 42, let directory = number(at: 4, size: 4),
    let entries = number(at: directory, size: 2)
  else { return nil }
  for entry in 0..<entries {
    let start = directory + 2 + entry * 12
    guard let tag = number(at: start, size: 2), let value = number(at: start + 8, size: 2) else { break }
    if tag == orientationTag { return (1...8).contains(value) ? value : 1 }
  }
  return nil
}
