extension Graph {
  /// Tells weights of one network from those of another: FNV-1a of the operations, their attributes and the parameters.
  ///
  /// Independent of batch and input size, of passes and of source lines: one parameter file serves them all.
  public var parameterHash: UInt64 {
    var text = ""
    for parameter in parameters { text += "\(parameter.name) \(parameter.shape)\n" }
    return fnv1a(text.utf8)
  }
}

/// FNV-1a, 64 bit.
///
/// - Parameter basis: the hash of nothing; another one gives another hash function.
public func fnv1a(_ bytes: some Sequence<UInt8>, basis: UInt64 = 0xcbf2_9ce4_8422_2325) -> UInt64 {
  // One loop over memory, which the optimiser sees whole whatever the caller is built with.
  func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash = basis
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }
  return bytes.withContiguousStorageIfAvailable(hash) ?? Array(bytes).withUnsafeBufferPointer(hash)
}

/// A name of 32 hexadecimal digits for a text: two FNV-1a hashes, the second from the first half of the basis of 128 bits.
package func hashName(_ text: String) -> String {
  [fnv1a(text.utf8), fnv1a(text.utf8, basis: 0x6c62_272e_07bb_0142)].map {
    let digits = String($0, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }.joined()
}
