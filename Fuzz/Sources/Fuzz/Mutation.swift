/// Mutations that imitate common damage and attacks.
enum Mutation {
  /// A mutated copy of a valid input; `others` provide pieces.
  static func mutated(_ input: [UInt8], others: [[UInt8]], _ random: inout Random) -> [UInt8] {
    var bytes = input
    for _ in 0...random.below(4) { change(&bytes, others, &random) }
    return bytes
  }

  private static func change(_ bytes: inout [UInt8], _ others: [[UInt8]], _ random: inout Random) {
    guard !bytes.isEmpty else {
      bytes = random.pick(others)
      return
    }
    let place = random.below(bytes.count)
    switch random.below(9) {
    case 0: bytes[place] ^= 1 << UInt8(random.below(8))
    case 1: bytes[place] = UInt8(random.below(256))
    case 2: put(integer(&random), at: place, in: &bytes, width: random.pick([2, 4, 8]), isBig: random.below(2) == 0)
    case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(16)))
    case 4: bytes.insert(contentsOf: (0...random.below(8)).map { _ in UInt8(random.below(256)) }, at: place)
    case 5:
      let piece = Array(bytes[place..<min(bytes.count, place + 1 + random.below(64))])
      let times = 1 + random.below(random.below(20) == 0 ? 2000 : 4)
      bytes.insert(contentsOf: [[UInt8]](repeating: piece, count: times).joined(), at: place)
    case 6:
      let other = random.pick(others)
      let start = random.below(other.count)
      let piece = other[start..<min(other.count, start + 1 + random.below(128))]
      bytes.replaceSubrange(place..<min(bytes.count, place + piece.count), with: piece)
    case 7: replaceNumber(in: &bytes, from: place, &random)
    default: if random.below(4) == 0 { bytes.removeSubrange(place...) }
    }
  }

  /// A boundary value of some integer type.
  private static func integer(_ random: inout Random) -> UInt64 {
    let border: UInt64 = 1 << UInt64(random.below(64))
    return random.pick([border, border &- 1, ~border, 0 &- border, UInt64(random.below(300))])
  }

  private static func put(_ value: UInt64, at place: Int, in bytes: inout [UInt8], width: Int, isBig: Bool) {
    for index in 0..<width where place + index < bytes.count {
      bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (isBig ? width - 1 - index : index)))
    }
  }

  /// Replaces a number in the text, if there is one.
  private static func replaceNumber(in bytes: inout [UInt8], from place: Int, _ random: inout Random) {
    let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
    guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
    let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.endIndex
    let number = random.pick([
      "0", "-1", "1e999", "-0.0", "nan", "2147483647", "2147483648", "4294967296", "9223372036854775807",
      "-9223372036854775808", "18446744073709551616", "1e-320", "0.5", "00", "\(integer(&random))",
      String(repeating: "9", count: 1 + random.below(400)),
    ])
    bytes.replaceSubrange(start..<end, with: Array(number.utf8))
  }
}
