import Foundation
import SPDData

extension JSONCursor {
  /// Reads a number. NaN, Infinity and -Infinity count.
  mutating func double() throws(DataError) -> Double {
    skipSpace()
    return try scanNumber().double(in: bytes)
  }

  /// Reads a number that must be an integer of 64 bits, in any notation: `7`, `7.0`, `70e-1`.
  mutating func integer(_ what: @autoclosure () -> String) throws(DataError) -> Int {
    skipSpace()
    let start = position
    let number = try scanNumber()
    guard let integer = number.integer(in: bytes) else {
      throw error("\(what()) is not an integer of 64 bits", at: start, remedy: "give integers")
    }
    return integer
  }

  /// Reads true, false or a number, which is true unless it is 0; nil for null.
  mutating func flag() throws(DataError) -> Bool? {
    switch peekValue() {
    case UInt8(ascii: "t"):
      try expect(word: "true")
      return true
    case UInt8(ascii: "f"):
      try expect(word: "false")
      return false
    default: return try doubleOrNull().map { $0 != 0 }
    }
  }

  /// Reads a number or null.
  mutating func doubleOrNull() throws(DataError) -> Double? {
    if peekValue() == UInt8(ascii: "n") {
      try expect(word: "null")
      return nil
    }
    return try double()
  }

  /// Checks a number's syntax and collects its digits.
  mutating func scanNumber() throws(DataError) -> JSONNumber {
    var number = JSONNumber(start: position)
    if peek == UInt8(ascii: "-") {
      number.isNegative = true
      position += 1
    }
    guard Self.isDigit(peek) else {
      try scanNotFinite(&number)
      return number
    }
    if peek == UInt8(ascii: "0") { position += 1 } else { scanDigits(&number) }
    if peek == UInt8(ascii: ".") {
      position += 1
      let start = position
      scanDigits(&number)
      guard position > start else { throw unexpected("a digit") }
      number.exponent = start - position
    }
    if peek | 0x20 == UInt8(ascii: "e") {
      position += 1
      let isNegative = peek == UInt8(ascii: "-")
      if isNegative || peek == UInt8(ascii: "+") { position += 1 }
      guard Self.isDigit(peek) else { throw unexpected("a digit") }
      var exponent = 0
      while Self.isDigit(peek) {
        exponent = min(exponent * 10 + Int(peek & 15), 1_000_000)
        position += 1
      }
      number.exponent += isNegative ? -exponent : exponent
    }
    number.end = position
    return number
  }

  private mutating func scanDigits(_ number: inout JSONNumber) {
    // Most of a file is digits: they are collected in registers.
    var position = position
    var digits = number.digits
    let count = bytes.count
    while position < count {
      let digit = bytes[position] &- 0x30
      guard digit < 10 else { break }
      if digits < 1_000_000_000_000_000_000 { digits = digits &* 10 &+ UInt64(digit) } else { number.isLong = true }
      position += 1
    }
    self.position = position
    number.digits = digits
  }

  private mutating func scanNotFinite(_ number: inout JSONNumber) throws(DataError) {
    switch peek {
    case UInt8(ascii: "N") where !number.isNegative:
      try expect(word: "NaN")
      number.notFinite = .nan
    case UInt8(ascii: "I"):
      try expect(word: "Infinity")
      number.notFinite = number.isNegative ? -.infinity : .infinity
    default: throw unexpected("a number")
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}

/// A number's digits and exponent: its value is ±digits · 10^exponent.
struct JSONNumber {
  var start: Int
  var end = 0
  var isNegative = false
  var digits: UInt64 = 0
  var exponent = 0
  /// True if `digits` could not take all of them.
  var isLong = false
  /// The value of NaN, Infinity and -Infinity.
  var notFinite: Double?

  init(start: Int) { self.start = start }

  /// The powers of ten that are exact.
  private static let powers: [Double] = (0...22).map { pow(10, Double($0)) }

  /// The nearest double.
  func double(in bytes: UnsafeRawBufferPointer) -> Double {
    if let notFinite { return notFinite }
    // With both factors exact, one operation rounds once.
    if !isLong, digits <= 1 << 53, abs(exponent) <= 22 {
      let magnitude =
        exponent < 0 ? Double(digits) / Self.powers[-exponent] : Double(digits) * Self.powers[exponent]
      return isNegative ? -magnitude : magnitude
    }
    // The C library's conversion would depend on the locale.
    return Double(String(decoding: bytes[start..<end], as: UTF8.self)) ?? .nan
  }

  /// The value if it is an integer of 64 bits.
  func integer(in bytes: UnsafeRawBufferPointer) -> Int? {
    if exponent == 0, !isLong, notFinite == nil {
      guard isNegative else { return Int(exactly: digits) }
      return digits <= Int.min.magnitude ? Int(truncatingIfNeeded: 0 &- digits) : nil
    }
    return Int(exactly: double(in: bytes))
  }
}
