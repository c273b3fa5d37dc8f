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
public func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt64 {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  return hash
}
